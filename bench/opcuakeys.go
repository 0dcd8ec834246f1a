package bench

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

const applicationURI = "urn:flowsync:bench"

// Keys are the client's certificate and its key.
type Keys struct {
	certificate []byte // DER
	key         *rsa.PrivateKey
}

// NewKeys makes a certificate, signed by itself.
func NewKeys() (*Keys, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "flowsync bench"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment |
			x509.KeyUsageDataEncipherment | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		URIs:                  []*url.URL{{Scheme: "urn", Opaque: "flowsync:bench"}},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return &Keys{certificate: certificate, key: key}, err
}

// Trust makes a server that keeps its certificates in a folder trust the client.
func (k *Keys) Trust(state string) error {
	folder := filepath.Join(state, "pki", "trusted", "certs")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "bench.der"), k.certificate, 0o600)
}

// policies are the URIs of policies.
var policies = map[string]string{
	"None":                  ua.SecurityPolicyURINone,
	"Basic256Sha256":        ua.SecurityPolicyURIBasic256Sha256,
	"Aes128_Sha256_RsaOaep": ua.SecurityPolicyURIAes128Sha256RsaOaep,
	"Aes256_Sha256_RsaPss":  ua.SecurityPolicyURIAes256Sha256RsaPss,
}

// connect opens a channel and logs in, nameless.
func connect(ctx context.Context, address, security string, k *Keys, deliver func(rawclient.Response)) (*rawclient.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	o := rawclient.Options{Endpoint: address, ApplicationURI: applicationURI, Deliver: deliver}
	if security != "None" {
		uri, ok := policies[security]
		if !ok {
			return nil, fmt.Errorf("bench: the policy %q is not known", security)
		}
		o.Policy, o.Mode = uri, ua.MessageSecurityModeSignAndEncrypt
		o.Certificate, o.Key = k.certificate, k.key
	}
	c, err := rawclient.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	if _, err := c.Login(ctx, rawclient.Identity{}, time.Hour); err != nil {
		c.Close()
		return nil, fmt.Errorf("bench: logging in at %s: %w", address, err)
	}
	return c, nil
}
