package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
)

// readme is the first block of the README in that language which contains the text.
func readme(t testing.TB, language, contains string) string {
	t.Helper()
	text, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	for _, part := range strings.Split(string(text), "\n```"+language+"\n")[1:] {
		if block, _, _ := strings.Cut(part, "\n```"); strings.Contains(block, contains) {
			return block + "\n"
		}
	}
	require.Fail(t, "the README has no such block", "%s with %q", language, contains)
	return ""
}

// readmeFile is the commissioning file that the README shows.
func readmeFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.yaml")
	require.NoError(t, os.WriteFile(path, []byte(readme(t, "yaml", "Cybus::Node::Http")), 0o600))
	return path
}

// What the README shows works.
func TestReadmeFile(t *testing.T) {
	path := readmeFile(t)
	out, err := exec.Command(binary, "check", path).CombinedOutput()
	require.NoError(t, err, "%s", out)
	g := start(t, path)
	respond(t, responder.Options{Address: g.broker, Topics: []string{"services/shop/mayStart"}, Value: []byte(`{"mayStart":true}`)})
	r := ask(t, client(1), "POST", "http://"+g.http+"/data/press/7/mayStart", `{"order":4711}`)
	assert.Equal(t, 200, r.status)
	assert.Equal(t, `{"mayStart":true}`, string(r.body))
}
