package pki

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
)

const (
	minKeyBits = 2048 // of all policies that are spoken (OPC 10000-7)
	maxKeyBits = 4096
)

// fit judges a certificate for itself, whoever it is from (OPC 10000-4, 6.1.3).
func fit(c *x509.Certificate, now time.Time) (ua.StatusCode, error) {
	key, ok := c.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok:
		return ua.StatusBadCertificatePolicyCheckFailed, errors.New("its key is not RSA, which all security policies ask for")
	case key.N.BitLen() < minKeyBits || key.N.BitLen() > maxKeyBits:
		return ua.StatusBadCertificatePolicyCheckFailed, fmt.Errorf("its key has %d bits, it must have %d to %d", key.N.BitLen(), minKeyBits, maxKeyBits)
	case !sound(c.SignatureAlgorithm):
		return ua.StatusBadCertificatePolicyCheckFailed, fmt.Errorf("it is signed with %s, it must be RSA with SHA-256 or better", c.SignatureAlgorithm)
	case now.Before(c.NotBefore) || now.After(c.NotAfter):
		return ua.StatusBadCertificateTimeInvalid, fmt.Errorf("it is valid from %s to %s", c.NotBefore.Format(time.DateTime), c.NotAfter.Format(time.DateTime))
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return ua.StatusBadCertificateUseNotAllowed, errors.New("its key usage does not include digital signatures")
	case !clientUse(c):
		return ua.StatusBadCertificateUseNotAllowed, errors.New("its extended key usage does not include client authentication")
	}
	return ua.StatusOK, nil
}

func sound(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA,
		x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS:
		return true
	}
	return false
}

// clientUse lets a certificate pass that says nothing. Of those that do, some clients have only
// the use of a server: UA applications are often both.
func clientUse(c *x509.Certificate) bool {
	for _, use := range c.ExtKeyUsage {
		if use == x509.ExtKeyUsageClientAuth || use == x509.ExtKeyUsageServerAuth || use == x509.ExtKeyUsageAny {
			return true
		}
	}
	return len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0
}
