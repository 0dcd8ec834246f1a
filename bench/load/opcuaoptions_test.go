package load

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua"
)

func TestOPCUAOptions(t *testing.T) {
	const endpoint, method = "opc.tcp://127.0.0.1:4841/UA", "ns=1;s=Press.MayStart"
	folder := t.TempDir()
	keys := newOPCUAFiles(t, folder)
	large := filepath.Join(folder, "large")
	require.NoError(t, os.WriteFile(large, make([]byte, 1<<17), 0o600))
	for name, c := range map[string]struct {
		o    OPCUAOptions
		want string // empty: fine
	}{
		"method":           {OPCUAOptions{Endpoint: endpoint, Method: method}, ""},
		"object given":     {OPCUAOptions{Endpoint: endpoint, Method: "ns=1;i=7", Object: "i=85"}, ""},
		"variable":         {OPCUAOptions{Endpoint: endpoint, Variable: "ns=1;s=Press.Recipe"}, ""},
		"None":             {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "None", Mode: "None"}, ""},
		"sign":             {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256", Mode: "Sign", CertificateFile: keys.pem, KeyFile: keys.keyPEM}, ""},
		"DER":              {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Aes256_Sha256_RsaPss", CertificateFile: keys.der, KeyFile: keys.keyDER}, ""},
		"http":             {OPCUAOptions{Endpoint: "http://127.0.0.1:80/", Method: method}, "want opc.tcp://host:port/path"},
		"no port":          {OPCUAOptions{Endpoint: "opc.tcp://127.0.0.1/", Method: method}, "want opc.tcp://host:port/path"},
		"nothing to ask":   {OPCUAOptions{Endpoint: endpoint}, "what is to be asked"},
		"both":             {OPCUAOptions{Endpoint: endpoint, Method: method, Variable: "i=1"}, "a Call or a Write"},
		"no object":        {OPCUAOptions{Endpoint: endpoint, Method: "ns=1;i=7"}, "no object is given"},
		"a root's method":  {OPCUAOptions{Endpoint: endpoint, Method: "ns=1;s=MayStart"}, "no object is given"},
		"no node id":       {OPCUAOptions{Endpoint: endpoint, Variable: "ns=x;s=a"}, "is no node id"},
		"no kind":          {OPCUAOptions{Endpoint: endpoint, Variable: "Press.Recipe"}, "of which kind"},
		"short":            {OPCUAOptions{Endpoint: endpoint, Method: method, Payload: 5}, "a payload of 5 bytes"},
		"long":             {OPCUAOptions{Endpoint: endpoint, Method: method, Payload: 1 << 30}, "a payload of"},
		"sessions":         {OPCUAOptions{Endpoint: endpoint, Method: method, Sessions: 1001}, "1001 sessions"},
		"expect":           {OPCUAOptions{Endpoint: endpoint, Method: method, Expect: "{}"}, `"{}" cannot be expected`},
		"no password":      {OPCUAOptions{Endpoint: endpoint, Method: method, User: "plc"}, "go together"},
		"no user":          {OPCUAOptions{Endpoint: endpoint, Method: method, PasswordFile: keys.pem}, "go together"},
		"password missing": {OPCUAOptions{Endpoint: endpoint, Method: method, User: "plc", PasswordFile: filepath.Join(folder, "none")}, "no such file"},
		"password large":   {OPCUAOptions{Endpoint: endpoint, Method: method, User: "plc", PasswordFile: large}, "more than"},
		"password folder":  {OPCUAOptions{Endpoint: endpoint, Method: method, User: "plc", PasswordFile: folder}, "is a directory"},
		"policy":           {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic128"}, `policy "Basic128"`},
		"mode":             {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256", Mode: "None"}, `mode "None"`},
		"mode alone":       {OPCUAOptions{Endpoint: endpoint, Method: method, Mode: "Sign"}, "no policy"},
		"no certificate":   {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256"}, "needs a certificate"},
		"no certificate 2": {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256", CertificateFile: keys.keyPEM, KeyFile: keys.keyPEM}, "the certificate " + keys.keyPEM},
		"no URI":           {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256", CertificateFile: keys.noURI, KeyFile: keys.keyPEM}, "no application URI"},
		"no key":           {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256", CertificateFile: keys.pem, KeyFile: keys.pem}, "the key " + keys.pem},
		"key missing":      {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256", CertificateFile: keys.pem, KeyFile: filepath.Join(folder, "none")}, "no such file"},
		"cert missing":     {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256", CertificateFile: filepath.Join(folder, "none"), KeyFile: keys.keyPEM}, "no such file"},
		"elliptic key":     {OPCUAOptions{Endpoint: endpoint, Method: method, Policy: "Basic256Sha256", CertificateFile: keys.pem, KeyFile: keys.elliptic}, "want RSA"},
	} {
		t.Run(name, func(t *testing.T) {
			target, err := NewOPCUA(c.o)
			if c.want != "" {
				assert.ErrorContains(t, err, c.want)
				assert.Nil(t, target)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, endpoint+" "+c.o.Method+c.o.Variable, target.String())
		})
	}
	_, err := NewOPCUA(OPCUAOptions{Sessions: -1})
	for _, fault := range []string{"endpoint", "sessions", "what is to be asked"} {
		assert.ErrorContains(t, err, fault, "all are told")
	}
}

// opcuaFiles are names of files.
type opcuaFiles struct{ pem, der, noURI, keyPEM, keyDER, elliptic string }

func newOPCUAFiles(t *testing.T, folder string) (f opcuaFiles) {
	t.Helper()
	write := func(name string, b []byte) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, b, 0o600))
		return path
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "load"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	noURI, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	c.URIs = []*url.URL{{Scheme: "urn", Opaque: "flowsync:load:test"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	require.NoError(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	otherDER, err := x509.MarshalPKCS8PrivateKey(other)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return opcuaFiles{
		pem:      write("own.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		der:      write("own.der", der),
		noURI:    write("nouri.der", noURI),
		keyPEM:   write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
		keyDER:   write("key.der", x509.MarshalPKCS1PrivateKey(key)),
		elliptic: write("ec.der", otherDER),
	}
}

// A user with a password, over an encrypted channel, to a server that trusts the certificate.
func TestOPCUASecured(t *testing.T) {
	folder := t.TempDir()
	files := newOPCUAFiles(t, folder)
	password := filepath.Join(folder, "password")
	require.NoError(t, os.WriteFile(password, []byte("open sesame\n"), 0o600))
	state := t.TempDir()
	trusted := filepath.Join(state, "pki", "trusted", "certs")
	require.NoError(t, os.MkdirAll(trusted, 0o700))
	der, err := os.ReadFile(files.der)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(trusted, "load.der"), der, 0o600))
	url := opcuaServer(t, echoOPCUA, func(o *opcua.Options) {
		o.State, o.Anonymous = state, false
		o.Security = []opcua.Security{{Policy: "Basic256Sha256", Mode: "SignAndEncrypt"}, {Policy: "Basic256Sha256", Mode: "Sign"}}
		o.Login = func(user, password string) bool { return user == "plc" && password == "open sesame" }
	})
	o := OPCUAOptions{
		Endpoint: url, Method: "ns=1;s=Press.All", User: "plc", PasswordFile: password,
		Policy: "Basic256Sha256", CertificateFile: files.pem, KeyFile: files.keyPEM,
	}
	for _, mode := range []string{"", "Sign"} {
		o.Mode = mode
		r := runOPCUA(t, opcuaTarget(t, o), 4)
		assert.True(t, r.OK(), "%+v", r)
	}
	require.NoError(t, os.WriteFile(password, []byte("guessed"), 0o600))
	err = opcuaTarget(t, o).Probe(t.Context(), time.Second)
	assert.ErrorContains(t, err, "logging in")
	assert.NotContains(t, err.Error(), "guessed")
}

// Texts are as long as they are to be, and differ by request wherever they are cut.
func TestOPCUATexts(t *testing.T) {
	for size := opcuaMarkSize; size < 3*opcuaMarkSize+2; size++ {
		a := string(appendOPCUAText([]byte("before"), size, 0xabcde, 1_000_000_001))
		b := string(appendOPCUAText(nil, size, 0xabcde, 1_000_000_002))
		require.Len(t, a, len("before")+size)
		require.Len(t, b, size)
		assert.True(t, strings.HasPrefix(a, "beforeabcde0000001000000001."))
		assert.NotEqual(t, a[len("before"):], b)
		for at := 0; at+2*opcuaMarkSize <= size; at++ {
			assert.NotEqual(t, a[len("before"):][at:at+2*opcuaMarkSize-1], b[at:at+2*opcuaMarkSize-1])
		}
	}
}
