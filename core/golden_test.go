package core

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// line is one of a golden transcript: a command, and behind "->" what comes of it.
type line struct {
	words       []string // of the command
	want        string
	fileAndLine string
}

// require fails the test if something else came of it.
func (l *line) require(t *testing.T, got string) {
	t.Helper()
	require.Equal(t, l.want, got, "%s: %s", l.fileAndLine, strings.Join(l.words, " "))
}

// golden plays each transcript that the pattern finds. In one empty lines and those that begin with # are
// for the reader.
func golden(t *testing.T, pattern string, play func(t *testing.T, script []line)) {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			play(t, script(file, string(text)))
		})
	}
}

func script(file, text string) (script []line) {
	for i, l := range strings.Split(text, "\n") {
		command, want, _ := strings.Cut(l, "->")
		if words := strings.Fields(command); len(words) > 0 && words[0][0] != '#' {
			script = append(script, line{words, strings.TrimSpace(want), fmt.Sprintf("%s:%d", file, i+1)})
		}
	}
	return script
}
