package load

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// opcuaIdentity is who asks, and how what is said is protected.
type opcuaIdentity struct {
	who         rawclient.Identity
	policy      string // URI; empty: None
	mode        ua.MessageSecurityMode
	certificate []byte // DER
	key         *rsa.PrivateKey
	uri         string // of the application
}

var opcuaPolicies = map[string]string{
	"Basic256Sha256":        ua.SecurityPolicyURIBasic256Sha256,
	"Aes128_Sha256_RsaOaep": ua.SecurityPolicyURIAes128Sha256RsaOaep,
	"Aes256_Sha256_RsaPss":  ua.SecurityPolicyURIAes256Sha256RsaPss,
}

var opcuaModes = map[string]ua.MessageSecurityMode{
	"":               ua.MessageSecurityModeSignAndEncrypt,
	"Sign":           ua.MessageSecurityModeSign,
	"SignAndEncrypt": ua.MessageSecurityModeSignAndEncrypt,
}

// identify reads the files, and makes the identity.
func (t *OPCUA) identify() error {
	return errors.Join(t.identifyUser(), t.identifyApplication())
}

func (t *OPCUA) identifyUser() error {
	t.identity.who.User = t.o.User
	switch {
	case t.o.User == "" && t.o.PasswordFile == "":
		return nil
	case t.o.User == "" || t.o.PasswordFile == "":
		return errors.New("a user and a file with the password go together")
	}
	password, err := readSmall(t.o.PasswordFile)
	t.identity.who.Password = strings.TrimRight(string(password), "\r\n")
	return err
}

func (t *OPCUA) identifyApplication() (err error) {
	id := &t.identity
	if t.o.Policy == "" || t.o.Policy == "None" {
		if t.o.CertificateFile != "" || t.o.KeyFile != "" || t.o.Mode != "" && t.o.Mode != "None" {
			return errors.New("a mode, a certificate or a key is given, but no policy that uses it")
		}
		return nil
	}
	var known, knownMode bool
	id.policy, known = opcuaPolicies[t.o.Policy]
	id.mode, knownMode = opcuaModes[t.o.Mode]
	if !known || !knownMode {
		return fmt.Errorf("policy %q with mode %q, want None, or Basic256Sha256, Aes128_Sha256_RsaOaep or Aes256_Sha256_RsaPss, with Sign or SignAndEncrypt", t.o.Policy, t.o.Mode)
	}
	if t.o.CertificateFile == "" || t.o.KeyFile == "" {
		return fmt.Errorf("policy %s needs a certificate and its key", t.o.Policy)
	}
	if id.certificate, id.uri, err = readCertificate(t.o.CertificateFile); err != nil {
		return err
	}
	id.key, err = readKey(t.o.KeyFile)
	return err
}

// readCertificate reads a certificate and its application URI.
func readCertificate(path string) (der []byte, uri string, err error) {
	b, err := readSmall(path)
	if err != nil {
		return nil, "", err
	}
	c, err := x509.ParseCertificate(unwrap(b))
	if err != nil {
		return nil, "", fmt.Errorf("the certificate %s: %w", path, err)
	}
	if len(c.URIs) == 0 {
		return nil, "", fmt.Errorf("the certificate %s has no application URI", path)
	}
	return c.Raw, c.URIs[0].String(), nil
}

func readKey(path string) (*rsa.PrivateKey, error) {
	b, err := readSmall(path)
	if err != nil {
		return nil, err
	}
	der := unwrap(b)
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("the key %s: %w", path, err)
	}
	if private, ok := key.(*rsa.PrivateKey); ok {
		return private, nil
	}
	return nil, fmt.Errorf("the key %s is a %T, want RSA", path, key)
}

// unwrap is what is inside of PEM, or b if it is not PEM.
func unwrap(b []byte) []byte {
	if block, _ := pem.Decode(b); block != nil {
		return block.Bytes
	}
	return b
}

// readSmall reads a file that is no larger than files of secrets are.
func readSmall(path string) ([]byte, error) {
	const most = 64 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(f, most+1)); err != nil {
		return nil, fmt.Errorf("%w", err)
	}
	if b.Len() > most {
		return nil, fmt.Errorf("%s has more than %d bytes", path, most)
	}
	return b.Bytes(), nil
}
