package pki

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"time"
)

// Application is what the own certificate says.
type Application struct {
	Name  string
	URI   string   // the ApplicationUri, in the subject alternative name
	Hosts []string // DNS names and addresses
}

// Identity is a certificate with its key.
type Identity struct {
	Certificate []byte // DER
	Key         *rsa.PrivateKey
}

const (
	keyBits  = 2048
	validFor = 10 * 365 * 24 * time.Hour
	// backdated lets in clients whose clock is slow.
	backdated = time.Hour
)

// New makes an identity in memory: RSA 2048, SHA-256, ten years.
func New(app Application) (*Identity, error) { return newIdentity(app, time.Now()) }

func newIdentity(app Application, now time.Time) (*Identity, error) {
	template, err := certificateOf(app, now)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("pki: making a key: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("pki: making a certificate for %s: %w", app.URI, err)
	}
	return &Identity{Certificate: der, Key: key}, nil
}

// certificateOf is an application instance certificate that signs itself (OPC 10000-6, 6.2.2).
func certificateOf(app Application, now time.Time) (*x509.Certificate, error) {
	uri, err := url.Parse(app.URI)
	if err != nil || uri.Scheme == "" {
		return nil, fmt.Errorf("pki: the application URI %q is no URI: it must look like urn:host:application", app.URI)
	}
	if app.Name == "" {
		return nil, errors.New("pki: the application has no name")
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("pki: making a serial number: %w", err)
	}
	c := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		Subject:      pkix.Name{CommonName: app.Name},
		NotBefore:    now.Add(-backdated),
		NotAfter:     now.Add(validFor),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment |
			x509.KeyUsageDataEncipherment | x509.KeyUsageCertSign, // the last because it signs itself
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		SignatureAlgorithm:    x509.SHA256WithRSA,
		URIs:                  []*url.URL{uri},
	}
	for _, host := range app.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, host)
		}
	}
	return c, nil
}
