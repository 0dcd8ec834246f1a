package opcua_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A wrong password is in the log, without the password, and five of them end the connection.
func TestWrongPasswords(t *testing.T) {
	log := new(lockedBuffer)
	h := build(t, func(h *house, o *opcua.Options) {
		echo(h, o)
		o.Login = func(_, password string) bool { return password == "open sesame" }
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	c := h.client(nil)
	for range 5 {
		_, err := c.Login(h.ctx, rawclient.Identity{User: "plc", Password: "guessed"}, time.Minute)
		require.ErrorIs(t, err, ua.StatusBadUserAccessDenied)
	}
	next(h, c.Done(), "the end of the connection")
	require.Equal(t, 5, strings.Count(log.String(), "a login was refused"))
	require.Contains(t, log.String(), "plc")
	require.NotContains(t, log.String(), "guessed")
}
