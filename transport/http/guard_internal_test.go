package http

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The short way of judging a sender says what the long one says.
func TestJudgeIsCheck(t *testing.T) {
	for _, allow := range [][]string{nil, {"*"}, {"https://plant.example"}} {
		g, err := NewGuard(allow)
		require.NoError(t, err)
		for _, loopback := range []bool{false, true} {
			for _, host := range []string{"", "localhost", "LocalHost:80", "127.0.0.1:8080", "127.0.0.1", "127.0.0.2", "[::1]:80", "plant.example", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "localhost."} {
				for _, origin := range []string{"", "null", "http://localhost", "https://plant.example"} {
					for _, site := range []string{"", "cross-site", "same-origin"} {
						want := g.Check(host, origin, site, loopback)
						got := g.judge([]byte(host), []byte(origin), []byte(site), loopback)
						require.Equal(t, want, got, "%v %v %q %q %q", allow, loopback, host, origin, site)
					}
				}
			}
		}
	}
}
