//go:build peers

package peers

import (
	"crypto/subtle"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

var secured = []opcua.Security{
	{Policy: "Basic256Sha256", Mode: "Sign"},
	{Policy: "Basic256Sha256", Mode: "SignAndEncrypt"},
	{Policy: "Aes128_Sha256_RsaOaep", Mode: "Sign"},
	{Policy: "Aes128_Sha256_RsaOaep", Mode: "SignAndEncrypt"},
	{Policy: "Aes256_Sha256_RsaPss", Mode: "Sign"},
	{Policy: "Aes256_Sha256_RsaPss", Mode: "SignAndEncrypt"},
}

var none = opcua.Security{Policy: "None", Mode: "None"}

func offering(s ...opcua.Security) func(*opcua.Options) {
	return func(o *opcua.Options) { o.Security = s }
}

// withUsers lets in one user, and nobody else.
func withUsers(o *opcua.Options) {
	o.Anonymous = false
	o.Login = func(u, p string) bool {
		return subtle.ConstantTimeCompare([]byte(u+"\x00"+p), []byte(user+"\x00"+password)) == 1
	}
}

// works reads, writes and calls.
func (c *client) works() {
	c.t.Helper()
	require.Equal(c.t, "Good", c.read("fixed").StatusCode)
	require.Equal(c.t, "Good", c.write("setpoint", double(4)))
	got := c.call("line.mayStart", text("A 17"), int32s(3))
	require.Equal(c.t, "Good", got.StatusCode)
	sameJSON(c.t, []variant{{"Boolean", true}, text("as you like")}, got.OutputArguments)
}

func mayStart(r *mem.Request) { r.Answer([]byte(`{"go":true,"text":"as you like"}`)) }

func TestPoliciesAndModes(t *testing.T) {
	p := newPlant(t, offering(append(secured, none)...))
	p.trust(trustedPKI())
	p.respond("line.mayStart", mayStart)
	for _, s := range append([]opcua.Security{none}, secured...) {
		t.Run(s.Policy+" "+s.Mode, func(t *testing.T) {
			c, err := p.tryConnect(dial{Policy: s.Policy, Mode: s.Mode})
			require.NoError(t, err)
			c.in(t).works()
			c.in(t).close()
		})
	}
}

// Whoever does not look at what is offered, or does not care, is refused.
func TestSecurityNotOffered(t *testing.T) {
	p := newPlant(t, offering(secured[1]))
	p.trust(trustedPKI())
	for _, s := range secured {
		o := dial{Policy: s.Policy, Mode: s.Mode, Blind: true}
		switch {
		case s == secured[1]:
			p.connect(o)
		case s.Policy == secured[1].Policy:
			require.Equal(t, "BadSecurityModeRejected", p.refused(o), s)
		default:
			require.Equal(t, "BadSecurityPolicyRejected", p.refused(o), s)
		}
	}
	// Without security one may ask what there is, and nothing else.
	c := p.connect(dial{ChannelOnly: true})
	c.do("endpoints", nil, nil)
	require.Equal(t, "BadSecurityModeInsufficient", c.status(createSession(p)))
}

// createSession creates a session by hand and returns its authentication token.
func (c *client) createSession(p *plant) string {
	c.t.Helper()
	var created struct {
		ResponseHeader      header
		AuthenticationToken string
	}
	c.send(createSession(p)).response(&created)
	require.Equal(c.t, "Good", created.ResponseHeader.ServiceResult)
	return created.AuthenticationToken
}

func activateSession(token, policy string) request {
	return request{Service: "ActivateSession", Token: token, Fields: map[string]any{
		"userIdentityToken": map[string]any{"@struct": "AnonymousIdentityToken", "policyId": policy},
	}}
}

func createSession(p *plant) request {
	return request{Service: "CreateSession", Fields: map[string]any{
		"clientDescription": map[string]any{"applicationUri": "urn:flowsync:peer", "applicationType": 1},
		"endpointUrl":       p.url, "sessionName": "by hand", "requestedSessionTimeout": 60000,
	}}
}

// A client that nobody knows is refused, its certificate lands in rejected, and once that is moved
// to trusted the client gets in.
func TestTrust(t *testing.T) {
	p := newPlant(t, offering(secured[1]), func(o *opcua.Options) { o.State = t.TempDir() })
	stranger := dial{Policy: secured[1].Policy, Mode: secured[1].Mode, PKI: filepath.Join(t.TempDir(), "stranger")}
	require.Equal(t, "BadSecurityChecksFailed", p.refused(stranger), "it does not tell a stranger more (OPC 10000-4, 6.1.3)")

	rejected, err := filepath.Glob(filepath.Join(p.state, "pki", "rejected", "certs", "*"))
	require.NoError(t, err)
	require.Len(t, rejected, 1)
	trusted := filepath.Join(p.state, "pki", "trusted", "certs")
	require.NoError(t, os.Rename(rejected[0], filepath.Join(trusted, filepath.Base(rejected[0]))))

	p.respond("line.mayStart", mayStart)
	p.connect(stranger).works()

	left, err := filepath.Glob(filepath.Join(p.state, "pki", "rejected", "certs", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestLogin(t *testing.T) {
	p := newPlant(t, offering(secured[1]), withUsers)
	p.trust(trustedPKI())
	p.respond("line.mayStart", mayStart)
	over := dial{Policy: secured[1].Policy, Mode: secured[1].Mode}
	over.User, over.Password = user, password
	p.connect(over).works()
	over.Password = "wrong horse battery"
	require.Equal(t, "BadUserAccessDenied", p.refused(over))
	over.User, over.Password = "nobody", password
	require.Equal(t, "BadUserAccessDenied", p.refused(over))
}

// Where anonymous clients are not welcome, none gets in. node-opcua would not even try: it sees
// that there is no policy for them.
func TestAnonymousRefused(t *testing.T) {
	p := newPlant(t, withUsers)
	c := p.connect(dial{ChannelOnly: true})
	token := c.createSession(p)
	for _, policy := range []string{"anonymous", ""} {
		require.Contains(t, []string{"BadIdentityTokenInvalid", "BadIdentityTokenRejected"}, c.status(activateSession(token, policy)))
	}
	read := request{Service: "Read", Token: token, Fields: map[string]any{"nodesToRead": []any{attribute("i=2259", attributeValue)}}}
	require.Equal(t, "BadSessionNotActivated", c.status(read))
}

// A password is encrypted even where the channel is not.
func TestPasswordOverNone(t *testing.T) {
	p := newPlant(t, withUsers)
	p.respond("line.mayStart", mayStart)
	c := p.connect(dial{User: user, Password: password})
	require.False(t, c.sawSecret, "the password went over the wire in the clear")
	c.works()
	require.Equal(t, "BadUserAccessDenied", p.refused(dial{User: user, Password: "wrong horse battery"}))
}

// Several sessions may share a channel. One must be activated before it is good for anything, and
// the end of one is not that of another.
func TestTwoSessionsOnOneChannel(t *testing.T) {
	p := newPlant(t)
	c := p.connect(dial{ChannelOnly: true})
	var endpoints []struct{ UserIdentityTokens []struct{ PolicyID string } }
	c.do("endpoints", nil, &endpoints)
	policy := endpoints[0].UserIdentityTokens[0].PolicyID
	read := func(token string) string {
		return c.status(request{Service: "Read", Token: token, Fields: map[string]any{"nodesToRead": []any{attribute("i=2259", attributeValue)}}})
	}
	first, second, hasty := c.createSession(p), c.createSession(p), c.createSession(p)
	require.NotEqual(t, first, second)
	require.Equal(t, "Good", c.status(activateSession(first, policy)))
	require.Equal(t, "Good", read(first))
	require.Equal(t, "BadSessionNotActivated", read(hasty))
	require.Equal(t, "BadSessionIdInvalid", c.status(activateSession(hasty, policy)), "that was the end of it (OPC 10000-4, 5.7.3.1)")
	require.Equal(t, "Good", c.status(activateSession(second, policy)))
	require.Equal(t, "Good", c.status(request{Service: "CloseSession", Token: first, Fields: map[string]any{"deleteSubscriptions": true}}))
	require.Equal(t, "BadSessionIdInvalid", read(first))
	require.Equal(t, "Good", read(second))
}

// The endpoints carry the host that the client knows the server by.
func TestEndpoints(t *testing.T) {
	offered := append(secured, none)
	p := newPlant(t, offering(offered...), withUsers)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		url := strings.Replace(p.url, "127.0.0.1", host, 1)
		c := p.connect(dial{URL: url, ChannelOnly: true})
		var endpoints []struct {
			EndpointURL, SecurityPolicyURI, ServerCertificate string
			SecurityMode                                      int
			UserIdentityTokens                                []struct {
				TokenType         int
				SecurityPolicyURI string
			}
		}
		c.do("endpoints", nil, &endpoints)
		var got []opcua.Security
		for _, e := range endpoints {
			require.Equal(t, url, e.EndpointURL)
			require.NotEmpty(t, e.ServerCertificate)
			_, policy, _ := strings.Cut(e.SecurityPolicyURI, "#")
			got = append(got, opcua.Security{Policy: policy, Mode: []string{"", "None", "Sign", "SignAndEncrypt"}[e.SecurityMode]})
			require.Len(t, e.UserIdentityTokens, 1, "user name only")
			require.Equal(t, 1, e.UserIdentityTokens[0].TokenType)
		}
		require.ElementsMatch(t, offered, got)
		c.close()
	}
}
