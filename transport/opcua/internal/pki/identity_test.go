package pki

import (
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var app = Application{Name: "flowsync", URI: "urn:plc-7:flowsync", Hosts: []string{"plc-7", "plc-7.lan", "10.0.0.7", "::1"}}

func TestCertificateSaysWhatClientsAskFor(t *testing.T) {
	i, err := New(app)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(i.Certificate)
	require.NoError(t, err)
	require.NoError(t, c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature))
	require.True(t, i.Key.PublicKey.Equal(c.PublicKey))
	require.Equal(t, 2048, i.Key.N.BitLen())
	require.Equal(t, x509.SHA256WithRSA, c.SignatureAlgorithm)
	require.Equal(t, "flowsync", c.Subject.CommonName)
	require.Equal(t, app.URI, c.URIs[0].String())
	require.Equal(t, []string{"plc-7", "plc-7.lan"}, c.DNSNames)
	require.True(t, net.ParseIP("10.0.0.7").Equal(c.IPAddresses[0]))
	require.True(t, net.ParseIP("::1").Equal(c.IPAddresses[1]))
	require.Equal(t, x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment|x509.KeyUsageKeyEncipherment|
		x509.KeyUsageDataEncipherment|x509.KeyUsageCertSign, c.KeyUsage)
	require.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, c.ExtKeyUsage)
	require.True(t, c.BasicConstraintsValid)
	require.False(t, c.IsCA)
	require.Positive(t, c.SerialNumber.Sign())
	require.True(t, c.NotAfter.After(time.Now().AddDate(9, 11, 0)))
}

func TestApplicationsThatHaveNoCertificate(t *testing.T) {
	for name, a := range map[string]Application{
		"no URI":      {Name: "x"},
		"no scheme":   {Name: "x", URI: "flowsync"},
		"no name":     {URI: "urn:x"},
		"broken URI":  {Name: "x", URI: "urn:\x7f"},
		"broken host": {Name: "x", URI: "urn:x", Hosts: []string{"hôte"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(a)
			require.ErrorContains(t, err, "pki: ")
		})
	}
}

func TestIdentityIsMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pki")
	first, err := Load(dir, app)
	require.NoError(t, err)
	again, err := Load(dir, app)
	require.NoError(t, err)
	require.Equal(t, first.Certificate, again.Certificate)
	require.True(t, first.Key.Equal(again.Key))

	files := ownFiles(dir)
	info, err := os.Stat(files.key)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	info, err = os.Stat(filepath.Dir(files.key))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	left, err := filepath.Glob(filepath.Join(dir, "own", "*", ".new-*"))
	require.NoError(t, err)
	require.Empty(t, left, "temporary files")
}

func TestKeptIdentityIsNeverReplacedSilently(t *testing.T) {
	other, err := New(app)
	require.NoError(t, err)
	kept := t.TempDir()
	_, err = Load(kept, app)
	require.NoError(t, err)
	now := time.Now()
	for _, c := range []struct {
		name   string
		spoil  func(t *testing.T, f own)
		app    Application
		now    time.Time
		saying string
	}{
		{"another URI", nil, Application{Name: "flowsync", URI: "urn:plc-8:flowsync"}, now, `not for "urn:plc-8:flowsync"`},
		{"expired", nil, app, now.AddDate(11, 0, 0), "expired on"},
		{"not yet valid", nil, app, now.AddDate(-1, 0, 0), "is the clock right"},
		{"certificate lost", func(t *testing.T, f own) { require.NoError(t, os.Remove(f.certificate)) }, app, now, "but not its certificate"},
		{"key lost", func(t *testing.T, f own) { require.NoError(t, os.Remove(f.key)) }, app, now, "but not its key"},
		{"certificate is no DER", write(func(f own) string { return f.certificate }, "x"), app, now, "cannot be read as DER"},
		{"certificate of another key", write(func(f own) string { return f.certificate }, string(other.Certificate)), app, now, "belongs to another key"},
		{"key is no PEM", write(func(f own) string { return f.key }, "x"), app, now, "no PEM file"},
		{"key is a certificate", write(func(f own) string { return f.key }, pemOf("CERTIFICATE", other.Certificate)), app, now, `holds "CERTIFICATE"`},
		{"key is broken", write(func(f own) string { return f.key }, pemOf("PRIVATE KEY", []byte("x"))), app, now, "private key cannot be read"},
		{"key is broken too", write(func(f own) string { return f.key }, pemOf("RSA PRIVATE KEY", []byte("x"))), app, now, "private key cannot be read"},
		{"key is too large a file", write(func(f own) string { return f.key }, string(make([]byte, maxFile+1))), app, now, "larger than"},
		{"key is a folder", func(t *testing.T, f own) {
			require.NoError(t, os.Remove(f.key))
			require.NoError(t, os.Mkdir(f.key, 0o700))
		}, app, now, "is no file"},
		{"key is not RSA", write(func(f own) string { return f.key }, pemOf("PRIVATE KEY", ellipticKey(t))), app, now, "is not RSA"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(kept)))
			if c.spoil != nil {
				c.spoil(t, ownFiles(dir))
			}
			before := snapshot(t, dir)
			_, err = load(dir, c.app, c.now)
			require.ErrorContains(t, err, c.saying)
			require.ErrorContains(t, err, dir, "the error names the file")
			require.Equal(t, before, snapshot(t, dir))
		})
	}
}

func TestLoadWhereNothingCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "own"), nil, 0o600))
	_, err := Load(dir, app)
	require.Error(t, err)
	_, err = OpenTrust(filepath.Join(dir, "own"))
	require.Error(t, err)
}
