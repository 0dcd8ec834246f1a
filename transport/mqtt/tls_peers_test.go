//go:build peers

package mqtt

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// authority is a CA of this test.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	require.NoError(t, os.Chmod(a.dir, 0o755))
	a.cert, a.key = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

func (a *authority) file(name string) string { return filepath.Join(a.dir, name) }

// issue writes <name>.pem and <name>.key.
func (a *authority) issue(name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(a.t, err)
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	require.NoError(a.t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(a.t, err)
	for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: pkcs8}} {
		require.NoError(a.t, os.WriteFile(a.file(name+file), pem.EncodeToMemory(block), 0o644))
	}
	cert, err := x509.ParseCertificate(der)
	require.NoError(a.t, err)
	return cert, key
}

// TestMosquittoTLS: own CA and client certificate, and what is said when one is missing.
func TestMosquittoTLS(t *testing.T) {
	a := newAuthority(t)
	a.issue("server", &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	a.issue("client", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	m := startMosquitto(t, fmt.Sprintf("%scafile %s\ncertfile %s\nkeyfile %s\nrequire_certificate true\nuse_identity_as_username true\n",
		openToAll, a.file("ca.pem"), a.file("server.pem"), a.file("server.key")))
	secure := "mqtts://" + m.address

	config, err := TLSFiles(a.file("ca.pem"), a.file("client.pem"), a.file("client.key"))
	require.NoError(t, err)
	g := newGateway(t, Options{URL: secure, TLS: config}, core.NodeOptions{Topic: "a", Timeout: patience})
	g.start()
	m.respond("a", "--cafile", a.file("ca.pem"), "--cert", a.file("client.pem"), "--key", a.file("client.key"))
	_, done := g.begin(0, `1`)
	g.end(done, core.Answered)

	noClient, err := TLSFiles(a.file("ca.pem"), "", "")
	require.NoError(t, err)
	for want, o := range map[string]Options{
		"certificate signed by unknown authority": {URL: secure},
		"does it want a client certificate":       {URL: secure, TLS: noClient},
		"does it expect TLS (mqtts://)":           {URL: m.url()},
	} {
		wrong := newGateway(t, o)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		require.ErrorContains(t, wrong.bus.Start(ctx), want)
		cancel()
	}
}
