package planted_test

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/planted"
)

// Each piece is in the source exactly once, and what comes out is Go.
func TestChangesFit(t *testing.T) {
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	for name, write := range map[string]func(string, string) (string, error){"bugs": planted.Write, "clock": planted.WriteClock} {
		t.Run(name, func(t *testing.T) {
			file, err := write(root, filepath.Join(t.TempDir(), "overlay"))
			require.NoError(t, err)
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var overlay struct{ Replace map[string]string }
			require.NoError(t, json.Unmarshal(text, &overlay))
			require.Greater(t, len(overlay.Replace), 2)
			for _, changed := range overlay.Replace {
				_, err := parser.ParseFile(token.NewFileSet(), changed, nil, parser.AllErrors)
				require.NoError(t, err)
			}
		})
	}
}

func TestSourceHasMovedOn(t *testing.T) {
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "core"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(root, "core", "table.go"), []byte("package core\n"), 0o600))
	_, err := planted.Write(root, t.TempDir())
	require.ErrorContains(t, err, "wrong-id: planted: core/table.go has this piece 0 times, want once")
}

func TestBugs(t *testing.T) {
	names := map[string]bool{}
	for _, b := range planted.Bugs {
		require.NotEmpty(t, b.Rules, b.Name)
		require.NotContains(t, names, b.Name)
		names[b.Name] = true
	}
	require.GreaterOrEqual(t, len(names), 5)
}
