package pki

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDoubts(t *testing.T) {
	dir := t.TempDir()
	identity, err := Load(dir, Application{Name: "test", URI: "urn:test"})
	require.NoError(t, err)
	_, err = OpenTrust(dir)
	require.NoError(t, err)
	require.Empty(t, Doubts(dir, identity))

	soon := time.Now().AddDate(10, 0, -20)
	require.Len(t, doubts(dir, identity, soon), 1)
	require.Contains(t, doubts(dir, identity, soon)[0], "expires on")

	if runtime.GOOS == "windows" {
		return
	}
	trusted := filepath.Join(dir, "trusted", "certs")
	require.NoError(t, os.Chmod(ownFiles(dir).key, 0o640))
	require.NoError(t, os.Chmod(trusted, 0o770))
	found := Doubts(dir, identity)
	require.Len(t, found, 2)
	require.Contains(t, found[0], "private key")
	require.Contains(t, found[1], trusted)
}
