package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

var (
	key      = sync.OnceValue(func() *rsa.PrivateKey { return rsaKey(2048) })
	otherKey = sync.OnceValue(func() *rsa.PrivateKey { return rsaKey(2048) })
	shortKey = sync.OnceValue(func() *rsa.PrivateKey { return rsaKey(1024) })
)

func rsaKey(bits int) *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return k
}

func ellipticKey(t *testing.T) []byte {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	b, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	return b
}

// client is the template of a good certificate of a client.
func client(change func(c *x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "UaExpert@ws 12"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(c)
	}
	return c
}

func selfSigned(t testing.TB, c *x509.Certificate, k crypto.Signer) []byte {
	t.Helper()
	return signed(t, c, c, k.Public(), k)
}

func signed(t testing.TB, c, by *x509.Certificate, public crypto.PublicKey, k crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by, public, k)
	require.NoError(t, err)
	return der
}

func authority(change func(c *x509.Certificate)) *x509.Certificate {
	return client(func(c *x509.Certificate) {
		c.Subject.CommonName = "plant CA"
		c.IsCA, c.BasicConstraintsValid = true, true
		c.KeyUsage = x509.KeyUsageCertSign
		if change != nil {
			change(c)
		}
	})
}

func pemOf(kind string, b []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
}

func write(which func(own) string, text string) func(*testing.T, own) {
	return func(t *testing.T, f own) { require.NoError(t, os.WriteFile(which(f), []byte(text), 0o600)) }
}

// snapshot is what files are in a folder.
func snapshot(t *testing.T, dir string) map[string]string {
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			b, _ := os.ReadFile(path)
			files[path] = string(b)
		}
		return err
	}))
	return files
}

func openTrust(t testing.TB) *Trust {
	t.Helper()
	trust, err := OpenTrust(t.TempDir())
	require.NoError(t, err)
	return trust
}

func put(t testing.TB, trust *Trust, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(trust.trusted, name), []byte(text), 0o600))
}

func rejectedFiles(t testing.TB, trust *Trust) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(trust.rejected, "*"))
	require.NoError(t, err)
	return names
}

// TestTrustedByMovingTheFile is what an operator does.
func TestTrustedByMovingTheFile(t *testing.T) {
	trust := openTrust(t)
	der := selfSigned(t, client(nil), key())
	for range 2 {
		status, err := trust.Check(der)
		require.Equal(t, ua.StatusBadCertificateUntrusted, status)
		require.ErrorContains(t, err, "to trust it")
		require.Len(t, rejectedFiles(t, trust), 1)
	}
	file := rejectedFiles(t, trust)[0]
	require.Equal(t, fmt.Sprintf("UaExpertws_12_[%X].der", sha1.Sum(der)), filepath.Base(file))
	trusted := filepath.Join(trust.trusted, filepath.Base(file))
	require.NoError(t, os.Rename(file, trusted))
	status, err := trust.Check(der)
	require.NoError(t, err)
	require.Equal(t, ua.StatusOK, status)
	require.NoError(t, os.Remove(trusted))
	status, _ = trust.Check(der)
	require.Equal(t, ua.StatusBadCertificateUntrusted, status)
}

func TestCheck(t *testing.T) {
	good := selfSigned(t, client(nil), key())
	ca := authority(nil)
	issued := signed(t, client(nil), ca, key().Public(), otherKey())
	lateCA := authority(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	noCA := client(func(c *x509.Certificate) { c.Subject.CommonName = "plant CA" })
	elliptic, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	for _, c := range []struct {
		name    string
		trusted string // content of a file
		der     []byte
		want    ua.StatusCode
		kept    bool // in rejected
	}{
		{"DER", string(good), good, ua.StatusOK, false},
		{"PEM", "a comment\n" + pemOf("CERTIFICATE", good), good, ua.StatusOK, false},
		{"PEM behind its key", pemOf("X", []byte("x")) + pemOf("CERTIFICATE", good), good, ua.StatusOK, false},
		{"unknown", string(issued), good, ua.StatusBadCertificateUntrusted, true},
		{"nothing to read in the file", "x", good, ua.StatusBadCertificateUntrusted, true},
		{"a file too large", string(good) + strings.Repeat(" ", maxFile), good, ua.StatusBadCertificateUntrusted, true},
		{"issued by an authority", string(selfSigned(t, ca, otherKey())), issued, ua.StatusOK, false},
		{"issued by an authority's namesake", string(selfSigned(t, ca, key())), issued, ua.StatusBadCertificateUntrusted, true},
		{"issued by an expired authority", string(selfSigned(t, lateCA, otherKey())), issued, ua.StatusBadCertificateIssuerTimeInvalid, false},
		{"issued by a client", string(selfSigned(t, noCA, otherKey())), issued, ua.StatusBadCertificateUntrusted, true},
		{"no certificate", "", []byte("x"), ua.StatusBadCertificateInvalid, false},
		{"empty", "", nil, ua.StatusBadCertificateInvalid, false},
		{"too large", "", make([]byte, maxFile+1), ua.StatusBadCertificateInvalid, false},
		{"two certificates", string(good), append(good[:len(good):len(good)], good...), ua.StatusBadCertificateInvalid, false},
		refusedEvenIfTrusted(t, "expired", ua.StatusBadCertificateTimeInvalid, key(), func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
		refusedEvenIfTrusted(t, "not yet valid", ua.StatusBadCertificateTimeInvalid, key(), func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }),
		refusedEvenIfTrusted(t, "short key", ua.StatusBadCertificatePolicyCheckFailed, shortKey(), nil),
		refusedEvenIfTrusted(t, "no RSA", ua.StatusBadCertificatePolicyCheckFailed, elliptic, nil),
		refusedEvenIfTrusted(t, "SHA-1", ua.StatusBadCertificatePolicyCheckFailed, key(), func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }),
		refusedEvenIfTrusted(t, "for encryption only", ua.StatusBadCertificateUseNotAllowed, key(), func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDataEncipherment }),
		refusedEvenIfTrusted(t, "for mail", ua.StatusBadCertificateUseNotAllowed, key(), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }),
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := openTrust(t)
			require.NoError(t, os.Mkdir(filepath.Join(trust.trusted, "folder"), 0o700))
			put(t, trust, "x", c.trusted)
			status, err := trust.Check(c.der)
			require.Equal(t, c.want, status, "%v", err)
			require.Equal(t, c.want == ua.StatusOK, err == nil)
			require.Equal(t, c.kept, len(rejectedFiles(t, trust)) == 1)
		})
	}
}

type checkCase = struct {
	name    string
	trusted string
	der     []byte
	want    ua.StatusCode
	kept    bool
}

func refusedEvenIfTrusted(t *testing.T, name string, want ua.StatusCode, k crypto.Signer, change func(*x509.Certificate)) checkCase {
	der := selfSigned(t, client(change), k)
	return checkCase{name, string(der), der, want, false}
}

// TestRenewedAuthority: the certificate that it had before lies beside the new one, in any order.
func TestRenewedAuthority(t *testing.T) {
	old := selfSigned(t, authority(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), otherKey())
	renewed := selfSigned(t, authority(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(2) }), otherKey())
	issued, err := x509.ParseCertificate(signed(t, client(nil), authority(nil), key().Public(), otherKey()))
	require.NoError(t, err)
	for _, order := range [][][]byte{{old, renewed}, {renewed, old}} {
		var l list
		for _, der := range order {
			a, err := x509.ParseCertificate(der)
			require.NoError(t, err)
			l.authorities = append(l.authorities, a)
		}
		status, err := l.vouched(issued, time.Now())
		require.NoError(t, err)
		require.Equal(t, ua.StatusOK, status)
	}
}

// TestWhoIsAnAuthority: a client that was trusted must not make other clients.
func TestWhoIsAnAuthority(t *testing.T) {
	uri := []*url.URL{{Scheme: "urn", Opaque: "plc:client"}}
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		want   ua.StatusCode
	}{
		"may sign certificates":         {nil, ua.StatusOK},
		"says nothing of its use":       {func(c *x509.Certificate) { c.KeyUsage = 0 }, ua.StatusOK},
		"a client, as openssl makes it": {func(c *x509.Certificate) { c.KeyUsage, c.URIs = 0, uri }, ua.StatusBadCertificateUntrusted},
		"a client that signs itself":    {func(c *x509.Certificate) { c.URIs = uri }, ua.StatusBadCertificateUntrusted},
		"may not sign certificates":     {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }, ua.StatusBadCertificateUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			trust := openTrust(t)
			ca := authority(c.change)
			put(t, trust, "ca.der", string(selfSigned(t, ca, otherKey())))
			status, err := trust.Check(signed(t, client(nil), authority(nil), key().Public(), otherKey()))
			require.Equal(t, c.want, status, "%v", err)
		})
	}
}

// TestTrustWithoutRestart changes a file in place.
func TestTrustWithoutRestart(t *testing.T) {
	trust := openTrust(t)
	a := selfSigned(t, client(nil), key())
	b := selfSigned(t, client(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(1 << 40) }), key())
	put(t, trust, "x.der", string(a))
	status, _ := trust.Check(a)
	require.Equal(t, ua.StatusOK, status)
	put(t, trust, "x.der", string(b))
	status, _ = trust.Check(b)
	require.Equal(t, ua.StatusOK, status)
	status, _ = trust.Check(a)
	require.Equal(t, ua.StatusBadCertificateUntrusted, status)

	require.NoError(t, os.RemoveAll(trust.trusted))
	status, err := trust.Check(b)
	require.Equal(t, ua.StatusBadCertificateUntrusted, status)
	require.ErrorContains(t, err, trust.trusted)
}

// TestStrangersCannotFillTheDisk: the oldest goes, and a flood is not written.
func TestStrangersCannotFillTheDisk(t *testing.T) {
	trust := openTrust(t)
	now := time.Now()
	trust.now = func() time.Time { return now }
	for i := range maxRejected {
		name := filepath.Join(trust.rejected, fmt.Sprintf("%03d.der", i))
		require.NoError(t, os.WriteFile(name, nil, 0o600))
		age := now.Add(time.Duration(i-maxRejected) * time.Minute)
		require.NoError(t, os.Chtimes(name, age, age))
	}
	stranger := func(i int64) error {
		_, err := trust.Check(selfSigned(t, client(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(i) }), key()))
		return err
	}
	for i := range int64(20) {
		require.ErrorContains(t, stranger(i+1), "to trust it")
	}
	require.ErrorContains(t, stranger(100), "lately")
	now = now.Add(time.Second)
	require.ErrorContains(t, stranger(101), "to trust it")
	files := rejectedFiles(t, trust)
	require.Len(t, files, maxRejected)
	require.Equal(t, "021.der", filepath.Base(files[0]), "the oldest ones went")
}

func TestRejectedFolderIsGone(t *testing.T) {
	trust := openTrust(t)
	require.NoError(t, os.RemoveAll(trust.rejected))
	_, err := trust.Check(selfSigned(t, client(nil), key()))
	require.ErrorContains(t, err, "to trust it")
	require.Len(t, rejectedFiles(t, trust), 1)

	require.NoError(t, os.RemoveAll(trust.rejected))
	require.NoError(t, os.WriteFile(trust.rejected, nil, 0o600))
	status, err := trust.Check(selfSigned(t, client(nil), otherKey()))
	require.Equal(t, ua.StatusBadCertificateUntrusted, status)
	require.ErrorContains(t, err, "could not be kept")
}

func TestFileNamesOfStrangers(t *testing.T) {
	for in, want := range map[string]string{
		"../../etc/passwd":       "etcpasswd",
		"":                       "unknown",
		"Überwachung 1":          "berwachung_1",
		"\x00\n[x]":              "x",
		strings.Repeat("x", 500): strings.Repeat("x", 64),
	} {
		require.Equal(t, want, fileName(in))
	}
}

func TestCheckFromManyGoroutines(t *testing.T) {
	trust := openTrust(t)
	good := selfSigned(t, client(nil), key())
	put(t, trust, "good.der", string(good))
	strangers := [4][]byte{}
	for i := range strangers {
		strangers[i] = selfSigned(t, client(func(c *x509.Certificate) { c.SerialNumber = big.NewInt(int64(i + 2)) }), key())
	}
	var all sync.WaitGroup
	for _, stranger := range strangers {
		all.Go(func() {
			for range 20 {
				status, _ := trust.Check(good)
				require.Equal(t, ua.StatusOK, status)
				status, _ = trust.Check(stranger)
				require.Equal(t, ua.StatusBadCertificateUntrusted, status)
			}
		})
	}
	all.Wait()
	require.Len(t, rejectedFiles(t, trust), len(strangers))
}

// FuzzCheck feeds what strangers may send: no panic, and nothing unknown is ever trusted.
func FuzzCheck(f *testing.F) {
	good := selfSigned(f, client(nil), key())
	trust, err := OpenTrust(f.TempDir())
	require.NoError(f, err)
	require.NoError(f, os.WriteFile(filepath.Join(trust.trusted, "a.der"), good, 0o600))
	require.NoError(f, os.WriteFile(filepath.Join(trust.trusted, "ca.der"), selfSigned(f, authority(nil), otherKey()), 0o600))
	f.Add(good)
	f.Add(selfSigned(f, client(nil), otherKey()))
	f.Add(selfSigned(f, client(nil), shortKey()))
	f.Fuzz(func(t *testing.T, der []byte) {
		status, err := trust.Check(der)
		if (status == ua.StatusOK) != (string(der) == string(good)) || (status == ua.StatusOK) != (err == nil) {
			t.Errorf("%v, %v", status, err)
		}
		if n := len(rejectedFiles(t, trust)); n > maxRejected {
			t.Errorf("%d rejected", n)
		}
	})
}
