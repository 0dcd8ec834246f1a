package mqtt

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOptionsDefaults(t *testing.T) {
	b, err := Options{URL: "mqtt://me@broker"}.complete()
	require.NoError(t, err)
	require.Equal(t, "broker:1883", b.address)
	require.Equal(t, "mqtt://broker:1883", b.name)
	require.Equal(t, "me", b.Username)
	require.Equal(t, 30*time.Second, b.KeepAlive)
	require.Equal(t, 1, b.Connections)
	require.Equal(t, 1<<20, b.MaxPacket)
	require.Equal(t, 4<<20, b.Backlog)
	require.Equal(t, 2*time.Second, b.DialTimeout)
	require.NotNil(t, b.Logger)
	require.Nil(t, b.TLS)
	require.Regexp(t, `^flowsync-[0-9A-Za-z-]*-[0-9a-f]{8}$`, b.ClientID)

	b, err = Options{URL: "mqtts://[::1]/"}.complete()
	require.NoError(t, err)
	require.Equal(t, "[::1]:8883", b.address)
	require.NotNil(t, b.TLS)
}

// TestOptionsFaults: all of them at once, and never the password.
func TestOptionsFaults(t *testing.T) {
	_, err := Dial(Options{
		URL: "http://user:secret@/path?x", Username: "other", Password: strings.Repeat("x", maxString+1), ClientID: "a\x00",
		KeepAlive: 1500 * time.Millisecond, Connections: 17, MaxPacket: 1, Backlog: 1, DialTimeout: -1,
	})
	for _, want := range []string{
		"password in the broker URL", `names user "user", Username is "other"`, `scheme "http"`, "no host", "something behind the host",
		"Password is 65536", "ClientID has a control", "KeepAlive is 1.5s", "Connections is 17, want 1 to 16", "MaxPacket is 1,", "Backlog is 1,", "DialTimeout is -1ns",
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "secret")
	_, err = Dial(Options{URL: "mqtt://u:secret@host:port"})
	require.ErrorContains(t, err, "cannot be read")
	require.NotContains(t, err.Error(), "secret")
	_, err = Dial(Options{URL: "mqtt://host", TLS: &tls.Config{}})
	require.ErrorContains(t, err, "TLS settings need a broker URL with mqtts://")
	_, err = Dial(Options{})
	require.ErrorContains(t, err, "want mqtt://host:port")
}

func TestTLSFilesFaults(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.pem")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err := TLSFiles("/nowhere/ca.pem", "cert.pem", "")
	require.ErrorContains(t, err, "/nowhere/ca.pem")
	require.ErrorContains(t, err, "belong together")
	_, err = TLSFiles(empty, empty, empty)
	require.ErrorContains(t, err, "has no certificate in PEM form")
	require.ErrorContains(t, err, "client certificate "+empty)
	c, err := TLSFiles("", "", "")
	require.NoError(t, err)
	require.Nil(t, c.RootCAs)
}
