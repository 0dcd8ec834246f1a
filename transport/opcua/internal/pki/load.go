package pki

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const keyBlock = "PRIVATE KEY" // PKCS #8

// Load returns the identity kept under dir, and makes and keeps one if there is none. A kept one
// whose URI is another, or that has expired, is an error that says what to do: clients have
// pinned it, so it is never replaced silently. Files are written whole or not at all.
func Load(dir string, app Application) (*Identity, error) { return load(dir, app, time.Now()) }

// own are the files of an identity.
type own struct{ certificate, key string }

func ownFiles(dir string) own {
	return own{
		filepath.Join(dir, "own", "certs", "flowsync.der"),
		filepath.Join(dir, "own", "private", "flowsync.pem"),
	}
}

// remedy is what to do about files that cannot be used.
func (o own) remedy() string {
	return fmt.Sprintf("restore both files, or remove %s and %s so that a new certificate is made, which clients then have to trust anew", o.certificate, o.key)
}

func load(dir string, app Application, now time.Time) (*Identity, error) {
	files := ownFiles(dir)
	der, certificateErr := readBounded(files.certificate)
	text, keyErr := readBounded(files.key)
	noCertificate, noKey := errors.Is(certificateErr, fs.ErrNotExist), errors.Is(keyErr, fs.ErrNotExist)
	switch {
	case noCertificate && noKey:
		return makeIdentity(files, app, now)
	case noCertificate:
		// The key is written first: this is what a crash in between leaves.
		return nil, fmt.Errorf("pki: there is the key %s, but not its certificate %s: %s", files.key, files.certificate, files.remedy())
	case noKey:
		return nil, fmt.Errorf("pki: there is the certificate %s, but not its key %s: %s", files.certificate, files.key, files.remedy())
	case certificateErr != nil || keyErr != nil:
		return nil, fmt.Errorf("pki: reading the own certificate: %w", errors.Join(certificateErr, keyErr))
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("pki: %s: %w: %s", files.key, err, files.remedy())
	}
	if err := fits(der, key, app, now); err != nil {
		return nil, fmt.Errorf("pki: %s: %w: %s", files.certificate, err, files.remedy())
	}
	return &Identity{Certificate: der, Key: key}, nil
}

func makeIdentity(files own, app Application, now time.Time) (*Identity, error) {
	identity, err := newIdentity(app, now)
	if err != nil {
		return nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(identity.Key)
	if err != nil {
		return nil, fmt.Errorf("pki: %w", err)
	}
	if err := writeWhole(files.key, pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: key}), 0o600); err != nil {
		return nil, err
	}
	if err := writeWhole(files.certificate, identity.Certificate, 0o644); err != nil {
		_ = os.Remove(files.key) // so that the next start does not find half an identity
		return nil, err
	}
	return identity, nil
}

func parseKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("this is no PEM file")
	}
	var parsed any
	var err error
	switch block.Type {
	case keyBlock:
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY": // what an operator may have brought along
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("it holds %q, not a private key", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("the private key cannot be read: %w", err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("the private key is not RSA, which all security policies ask for")
	}
	return key, nil
}

// fits says why a kept certificate is not one for this key, application and time.
func fits(der []byte, key *rsa.PrivateKey, app Application, now time.Time) error {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("the certificate cannot be read as DER: %w", err)
	}
	switch {
	case !key.PublicKey.Equal(c.PublicKey):
		return errors.New("the certificate belongs to another key")
	case key.N.BitLen() < minKeyBits || key.N.BitLen() > maxKeyBits:
		return fmt.Errorf("the key has %d bits, the security policies ask for %d to %d", key.N.BitLen(), minKeyBits, maxKeyBits)
	case len(c.URIs) != 1 || c.URIs[0].String() != app.URI:
		return fmt.Errorf("the certificate is for the application %q, not for %q (which has the host name in it, unless the commissioning file gives applicationUri: give there what the certificate has)", c.URIs, app.URI)
	case now.After(c.NotAfter):
		return fmt.Errorf("the certificate expired on %s", c.NotAfter.Format(time.DateOnly))
	case now.Before(c.NotBefore):
		return fmt.Errorf("the certificate is not valid before %s: is the clock right", c.NotBefore.Format(time.DateTime))
	}
	return nil
}
