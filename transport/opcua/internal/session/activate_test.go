package session_test

import (
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
)

var securePolicies = []string{
	ua.SecurityPolicyURIBasic256Sha256, ua.SecurityPolicyURIAes128Sha256RsaOaep, ua.SecurityPolicyURIAes256Sha256RsaPss,
}

func TestCreateWithSecurity(t *testing.T) {
	table := open(t, nil)
	ch := secure(ua.SecurityPolicyURIBasic256Sha256, client())
	for _, c := range []struct {
		name   string
		change func(*ua.CreateSessionRequest)
		want   ua.StatusCode
	}{
		{"right", func(*ua.CreateSessionRequest) {}, ua.StatusOK},
		{"short nonce", func(r *ua.CreateSessionRequest) { r.ClientNonce = make([]byte, 31) }, ua.StatusBadNonceInvalid},
		{"another certificate", func(r *ua.CreateSessionRequest) { r.ClientCertificate = stranger().der }, ua.StatusBadSecurityChecksFailed},
		{"another application", func(r *ua.CreateSessionRequest) { r.ClientDescription.ApplicationURI = "urn:other" }, ua.StatusBadCertificateURIInvalid},
	} {
		r := creation(ch)
		c.change(r)
		_, status := table.Create(ch, r)
		require.Equal(t, c.want, status, c.name)
	}
}

func TestServerSigns(t *testing.T) {
	table := open(t, nil)
	for _, policy := range securePolicies {
		ch := secure(policy, client())
		nonce := []byte("a nonce of the client's")
		signed, err := table.Sign(ch, client().der, nonce)
		require.NoError(t, err)
		algorithm, err := uapolicy.Asymmetric(policy, client().key, &server().key.PublicKey)
		require.NoError(t, err)
		require.Equal(t, algorithm.SignatureURI(), signed.Algorithm)
		require.NoError(t, algorithm.VerifySignature(append(append([]byte(nil), client().der...), nonce...), signed.Signature))
	}
	signed, err := table.Sign(plain(), nil, nil)
	require.NoError(t, err)
	require.Empty(t, signed.Signature)
	_, err = table.Sign(&wire{policy: securePolicies[0], certificate: []byte("none")}, nil, nil)
	require.Error(t, err)
}

func TestSignatureOfClient(t *testing.T) {
	table := open(t, nil)
	for _, policy := range securePolicies {
		ch := secure(policy, client())
		s := create(t, table, ch)
		wrong := activation(t, ch, s, stranger(), nil)
		_, _, status := table.Activate(ch, token(s), wrong)
		require.Equal(t, ua.StatusBadApplicationSignatureInvalid, status)
		right := activation(t, ch, s, client(), nil)
		_, rebound, status := table.Activate(ch, token(s), right)
		require.Equal(t, ua.StatusOK, status)
		require.False(t, rebound)
		_, _, status = table.Activate(ch, token(s), right) // the nonce is another one
		require.Equal(t, ua.StatusBadApplicationSignatureInvalid, status)
	}
}

func TestUserTokens(t *testing.T) {
	sha256, pss := ua.SecurityPolicyURIBasic256Sha256, ua.SecurityPolicyURIAes256Sha256RsaPss
	clear := func(string) *ua.UserNameIdentityToken {
		return &ua.UserNameIdentityToken{UserName: "press", Password: []byte("open sesame")}
	}
	for _, c := range []struct {
		name      string
		anonymous bool
		ch        *wire
		token     func(t *testing.T, nonce []byte) any
		want      ua.StatusCode
	}{
		{"anonymous", true, plain(), func(*testing.T, []byte) any { return &ua.AnonymousIdentityToken{} }, ua.StatusOK},
		{"anonymous, not wanted", false, plain(), func(*testing.T, []byte) any { return &ua.AnonymousIdentityToken{} }, ua.StatusBadIdentityTokenRejected},
		{"nothing", false, plain(), func(*testing.T, []byte) any { return nil }, ua.StatusBadIdentityTokenRejected},
		{"certificate", true, plain(), func(*testing.T, []byte) any { return &ua.X509IdentityToken{} }, ua.StatusBadIdentityTokenInvalid},
		{"encrypted, OAEP", false, plain(), func(t *testing.T, n []byte) any { return password(t, sha256, n, "press", "open sesame") }, ua.StatusOK},
		{"encrypted, OAEP with SHA-256", false, plain(), func(t *testing.T, n []byte) any { return password(t, pss, n, "press", "open sesame") }, ua.StatusOK},
		{"encrypted, PKCS 1.5", false, plain(), func(t *testing.T, n []byte) any {
			return password(t, ua.SecurityPolicyURIBasic128Rsa15, n, "press", "open sesame")
		}, ua.StatusBadUserAccessDenied},
		{"wrong password", false, plain(), func(t *testing.T, n []byte) any { return password(t, sha256, n, "press", "wrong") }, ua.StatusBadUserAccessDenied},
		{"wrong user", false, plain(), func(t *testing.T, n []byte) any { return password(t, sha256, n, "mill", "open sesame") }, ua.StatusBadUserAccessDenied},
		{"no user", false, plain(), func(t *testing.T, n []byte) any { return password(t, sha256, n, "", "open sesame") }, ua.StatusBadIdentityTokenRejected},
		{"another nonce", false, plain(), func(t *testing.T, n []byte) any { return password(t, sha256, make([]byte, 32), "press", "open sesame") }, ua.StatusBadUserAccessDenied},
		{"too short for the nonce", false, plain(), func(t *testing.T, n []byte) any { return password(t, sha256, n[:8], "press", "") }, ua.StatusBadUserAccessDenied},
		{"not encrypted", false, plain(), func(*testing.T, []byte) any { return clear("") }, ua.StatusBadIdentityTokenRejected},
		{"not encrypted, in an encrypted channel", false, secure(sha256, client()), func(*testing.T, []byte) any { return clear("") }, ua.StatusOK},
		{"garbage", false, plain(), func(*testing.T, []byte) any {
			return &ua.UserNameIdentityToken{UserName: "press", Password: []byte("garbage"), EncryptionAlgorithm: "http://www.w3.org/2001/04/xmlenc#rsa-oaep"}
		}, ua.StatusBadUserAccessDenied},
		{"garbage of the right size", false, plain(), func(*testing.T, []byte) any {
			return &ua.UserNameIdentityToken{UserName: "press", Password: make([]byte, 256), EncryptionAlgorithm: "http://www.w3.org/2001/04/xmlenc#rsa-oaep"}
		}, ua.StatusBadUserAccessDenied},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := open(t, func(o *session.Options) { o.Anonymous = c.anonymous })
			s := create(t, table, c.ch)
			_, _, status := table.Activate(c.ch, token(s), activation(t, c.ch, s, client(), c.token(t, s.Nonce())))
			require.Equal(t, c.want, status)
			require.Equal(t, c.want == ua.StatusOK, s.Activated())
		})
	}
}

func TestWithoutUsersOrKey(t *testing.T) {
	table := open(t, func(o *session.Options) { o.Login = nil })
	s := create(t, table, plain())
	ch := s.Channel()
	_, _, status := table.Activate(ch, token(s), activation(t, ch, s, client(), password(t, securePolicies[0], s.Nonce(), "press", "open sesame")))
	require.Equal(t, ua.StatusBadIdentityTokenRejected, status)

	table = open(t, func(o *session.Options) { o.Certificate, o.Key = nil, nil })
	s = create(t, table, plain())
	ch = s.Channel()
	_, _, status = table.Activate(ch, token(s), activation(t, ch, s, client(), password(t, securePolicies[0], s.Nonce(), "press", "open sesame")))
	require.Equal(t, ua.StatusBadUserAccessDenied, status)
}

func TestManyWrongPasswordsEndTheSession(t *testing.T) {
	table := open(t, nil)
	ch := plain()
	s := create(t, table, ch)
	for range 5 {
		require.Len(t, table.All(), 1)
		_, _, status := table.Activate(ch, token(s), activation(t, ch, s, client(), password(t, securePolicies[0], s.Nonce(), "press", "guess")))
		require.Equal(t, ua.StatusBadUserAccessDenied, status)
	}
	require.Empty(t, table.All())
}

func TestTakenUpOverAnotherChannel(t *testing.T) {
	policy := securePolicies[0]
	user := func(t *testing.T, nonce []byte) any { return password(t, policy, nonce, "press", "open sesame") }
	for _, c := range []struct {
		name string
		to   *wire
		by   func() *identity
		user func(t *testing.T, nonce []byte) any
		want ua.StatusCode
	}{
		{"the same client", secure(policy, client()), client, user, ua.StatusOK},
		{"without the key", secure(policy, client()), stranger, user, ua.StatusBadApplicationSignatureInvalid},
		{"another certificate", secure(policy, stranger()), stranger, user, ua.StatusBadSecurityChecksFailed},
		{"no security", plain(), client, user, ua.StatusBadSecurityChecksFailed},
		{"another user", secure(policy, client()), client, func(*testing.T, []byte) any { return nil }, ua.StatusBadIdentityTokenRejected},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := open(t, nil)
			from := secure(policy, client())
			s := create(t, table, from)
			_, _, status := table.Activate(from, token(s), activation(t, from, s, client(), user(t, s.Nonce())))
			require.Equal(t, ua.StatusOK, status)
			require.Equal(t, "press", s.User())
			_, rebound, status := table.Activate(c.to, token(s), activation(t, c.to, s, c.by(), c.user(t, s.Nonce())))
			require.Equal(t, c.want, status)
			require.Equal(t, c.want == ua.StatusOK, rebound)
			now := session.Channel(from)
			if rebound {
				now = c.to
			}
			require.Equal(t, now, s.Channel())
		})
	}
}

func TestNotYetActivatedStaysOnItsChannel(t *testing.T) {
	table := open(t, nil)
	s := create(t, table, plain())
	other := plain()
	_, _, status := table.Activate(other, token(s), activation(t, other, s, client(), nil))
	require.Equal(t, ua.StatusBadSecureChannelIDInvalid, status)
	_, _, status = table.Activate(other, []byte("no token"), activation(t, other, s, client(), nil))
	require.Equal(t, ua.StatusBadSessionIDInvalid, status)
}
