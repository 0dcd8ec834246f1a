package channel

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

var securities = []struct {
	policy string
	mode   ua.MessageSecurityMode
}{
	{ua.SecurityPolicyURINone, ua.MessageSecurityModeNone},
	{ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSign},
	{ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt},
	{ua.SecurityPolicyURIAes128Sha256RsaOaep, ua.MessageSecurityModeSign},
	{ua.SecurityPolicyURIAes128Sha256RsaOaep, ua.MessageSecurityModeSignAndEncrypt},
	{ua.SecurityPolicyURIAes256Sha256RsaPss, ua.MessageSecurityModeSign},
	{ua.SecurityPolicyURIAes256Sha256RsaPss, ua.MessageSecurityModeSignAndEncrypt},
}

func securityName(policy string, mode ua.MessageSecurityMode) string {
	return strings.TrimPrefix(policy, ua.SecurityPolicyURIPrefix) + "/" + strings.TrimPrefix(mode.String(), "MessageSecurityMode")
}

// TestClient calls with gopcua's client: short, of several chunks, and after renewals.
func TestClient(t *testing.T) {
	for _, s := range securities {
		t.Run(securityName(s.policy, s.mode), func(t *testing.T) {
			t.Parallel()
			h := newEcho()
			h.handle = func(c *Channel, request uint32, body []byte) error {
				require.Equal(t, s.policy, c.Policy())
				require.Equal(t, s.mode, c.Mode())
				return finder(c, request, body)
			}
			c := dial(t, listen(t, testOptions(h)), secure(s.policy, s.mode, clientIdentity())...)
			for _, n := range []int{0, 1, 3, 50, 5000} {
				var want []string
				for i := range n {
					want = append(want, fmt.Sprintf("urn:server:%d:%s", i, strings.Repeat("x", i%23)))
				}
				require.Equal(t, want, find(t, c.Send, want))
				require.NoError(t, c.SecureChannel().Renew(context.Background()))
			}
		})
	}
}

// find sends FindServers.
func find(t testing.TB, send func(context.Context, ua.Request, func(ua.Response) error) error, uris []string) []string {
	t.Helper()
	var got []string
	require.NoError(t, send(context.Background(), &ua.FindServersRequest{LocaleIDs: uris}, func(r ua.Response) error {
		for _, s := range r.(*ua.FindServersResponse).Servers {
			got = append(got, s.ApplicationURI)
		}
		return nil
	}))
	return got
}
