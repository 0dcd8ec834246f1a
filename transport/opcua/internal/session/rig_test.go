package session_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is a channel that only says what it is.
type wire struct {
	policy      string
	mode        ua.MessageSecurityMode
	certificate []byte
}

func (w *wire) Policy() string               { return w.policy }
func (w *wire) Mode() ua.MessageSecurityMode { return w.mode }
func (w *wire) ClientCertificate() []byte    { return w.certificate }
func plain() *wire                           { return &wire{policy: ua.SecurityPolicyURINone, mode: ua.MessageSecurityModeNone} }
func secure(policy string, who *identity) *wire {
	return &wire{policy: policy, mode: ua.MessageSecurityModeSignAndEncrypt, certificate: who.der}
}

// identity is a key with its certificate.
type identity struct {
	uri string
	der []byte
	key *rsa.PrivateKey
}

var (
	server   = sync.OnceValue(func() *identity { return newIdentity("urn:server") })
	client   = sync.OnceValue(func() *identity { return newIdentity("urn:client") })
	stranger = sync.OnceValue(func() *identity { return newIdentity("urn:stranger") })
)

func newIdentity(uri string) *identity {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	u, err := url.Parse(uri)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: uri}, URIs: []*url.URL{u},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return &identity{uri: uri, der: der, key: key}
}

// open returns a table whose users are press with the password "open sesame".
func open(t *testing.T, change func(*session.Options)) *session.Table {
	t.Helper()
	o := session.Options{
		Certificate: server().der, Key: server().key, Anonymous: true,
		Login: func(user, password string) bool { return user == "press" && password == "open sesame" },
	}
	if change != nil {
		change(&o)
	}
	table := session.NewTable(o)
	t.Cleanup(table.Close)
	return table
}

// create asks for a session as the client of a channel.
func create(t *testing.T, table *session.Table, ch session.Channel) *session.Session {
	t.Helper()
	s, status := table.Create(ch, creation(ch))
	require.Equal(t, ua.StatusOK, status)
	return s
}

func creation(ch session.Channel) *ua.CreateSessionRequest {
	return &ua.CreateSessionRequest{
		ClientDescription: &ua.ApplicationDescription{ApplicationURI: client().uri},
		SessionName:       "a session", ClientNonce: make([]byte, 32), ClientCertificate: ch.ClientCertificate(),
		RequestedSessionTimeout: 60_000,
	}
}

// activation signs the nonce of a session with a key, and shows a user token.
func activation(t *testing.T, ch session.Channel, s *session.Session, by *identity, user any) *ua.ActivateSessionRequest {
	t.Helper()
	r := &ua.ActivateSessionRequest{ClientSignature: &ua.SignatureData{}, UserIdentityToken: ua.NewExtensionObject(user)}
	if ch.Policy() != ua.SecurityPolicyURINone {
		algorithm, err := uapolicy.Asymmetric(ch.Policy(), by.key, &server().key.PublicKey)
		require.NoError(t, err)
		signature, err := algorithm.Signature(append(append([]byte(nil), server().der...), s.Nonce()...))
		require.NoError(t, err)
		r.ClientSignature = &ua.SignatureData{Algorithm: algorithm.SignatureURI(), Signature: signature}
	}
	return r
}

// password is a user token, encrypted with a policy's algorithm.
func password(t *testing.T, policy string, nonce []byte, user, text string) *ua.UserNameIdentityToken {
	t.Helper()
	algorithm, err := uapolicy.Asymmetric(policy, client().key, &server().key.PublicKey)
	require.NoError(t, err)
	secret := append([]byte{byte(len(text) + len(nonce)), 0, 0, 0}, text...)
	encrypted, err := algorithm.Encrypt(append(secret, nonce...))
	require.NoError(t, err)
	return &ua.UserNameIdentityToken{UserName: user, Password: encrypted, EncryptionAlgorithm: algorithm.EncryptionURI()}
}

func token(s *session.Session) []byte {
	encoded, err := s.Token().Encode()
	if err != nil {
		panic(err)
	}
	return encoded[len(encoded)-32:]
}
