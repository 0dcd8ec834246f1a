package logging

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNew(t *testing.T) {
	for _, c := range []struct {
		format Format
		level  string
		want   string // of the line that is written at info
		fault  string
	}{
		{Text, "info", "level=INFO msg=hello", ""},
		{JSON, "debug", `"level":"INFO","msg":"hello"`, ""},
		{Auto, "INFO", `"msg":"hello"`, ""}, // a buffer is no terminal
		{JSON, "warn", "", ""},
		{JSON, "error", "", ""},
		{JSON, "loud", "", `level "loud" is unknown: want debug, info, warn or error`},
		{JSON, "info+2", "", `level "info+2" is unknown: want debug, info, warn or error`},
		{"xml", "info", "", `format "xml" is unknown: want auto, text or json`},
	} {
		var out bytes.Buffer
		logger, err := New(&out, c.format, c.level)
		if c.fault != "" {
			assert.EqualError(t, err, c.fault)
			continue
		}
		require.NoError(t, err)
		logger.Info("hello")
		if c.want == "" {
			assert.Empty(t, out.String(), "%s at %s", c.format, c.level)
		}
		assert.Contains(t, out.String(), c.want, "%s at %s", c.format, c.level)
	}
}

func TestTerminal(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "log")
	require.NoError(t, err)
	assert.False(t, terminal(file))
	require.NoError(t, file.Close())
	assert.False(t, terminal(file), "closed")
	device, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer device.Close()
	assert.True(t, terminal(device), "a character device")
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("a", maxExcerpt-1)
	for _, c := range []struct{ from, want string }{
		{"", ""},
		{`{"id":1}`, `{"id":1}`},
		{"größer", "größer"},
		{"two\nlines", `"two\nlines"`},
		{"\x00\xff", `"\x00\xff"`},
		{"\u202etxt", `"\u202etxt"`}, // turns the reading direction
		{long + "bc", long + "b"},
		{long + "é", long}, // the rune would be cut in two
		{long[3:] + "😀x", long[3:] + "😀"},
		{long[1:] + "😀", long[1:]},
		{strings.Repeat("\x80", 300), `"` + strings.Repeat(`\x80`, maxExcerpt) + `"`},
	} {
		assert.Equal(t, c.want, excerpt(c.from), "%q", c.from)
		assert.Equal(t, c.want, excerpt([]byte(c.from)), "%q", c.from)
	}
}
