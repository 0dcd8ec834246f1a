package channel

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// TestFailedLogins are logged, and five in a row end the connection; the fifth is answered.
func TestFailedLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEcho()
		h.handle = func(c *Channel, request uint32, body []byte) error {
			c.Send(request, body)
			if string(body) == "right" {
				c.Prove()
			} else {
				c.LoginFailed(string(body), ua.StatusBadUserAccessDenied)
			}
			return nil
		}
		var log bytes.Buffer
		o := testOptions(h)
		o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		p, done := pipe(t, o)
		p.hello()
		p.open()
		name := "bob\n" + strings.Repeat("x", 1000)
		for range 4 {
			p.echoes(name)
		}
		p.echoes("right") // and it begins anew
		for range 5 {
			p.echoes(name)
		}
		p.refused(ua.StatusBadUserAccessDenied)
		<-done
		require.Equal(t, 9, strings.Count(log.String(), "a login was refused"))
		require.Contains(t, log.String(), `"client":"pipe"`)
		require.Contains(t, log.String(), `\"bob\\n`+strings.Repeat("x", 60)+`\""`)
		require.Contains(t, log.String(), ua.StatusBadUserAccessDenied.Error())
	})
}

// TestFloodOfFailedLogins does not fill the log.
func TestFloodOfFailedLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan *Channel, 1)
		h := newEcho()
		h.handle = func(c *Channel, _ uint32, _ []byte) error { seen <- c; return nil }
		var log bytes.Buffer
		o := testOptions(h)
		o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		p, done := pipe(t, o)
		p.hello()
		p.open()
		p.write(p.chunk("MSGF", 1, ""))
		c := <-seen
		for range 100 {
			c.server.log.loginFailed(c, "x", ua.StatusBadUserAccessDenied)
		}
		require.Equal(t, 10, strings.Count(log.String(), "a login was refused"))
		_ = p.conn.Close()
		<-done
	})
}
