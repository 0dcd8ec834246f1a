//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUsersFileThatAllCanRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	require.NoError(t, os.WriteFile(file, []byte("a:b"), 0o600))
	s := &settings{state: "dir", users: usersOf(t, "a:b"), usersFile: file}
	assert.Empty(t, warned(t, s, "allowAnonymous: false"))
	require.NoError(t, os.Chmod(file, 0o604))
	assert.Contains(t, warned(t, s, "allowAnonymous: false"), "every user of this machine can read the passwords")
}
