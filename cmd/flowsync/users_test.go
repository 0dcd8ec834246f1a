package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func usersOf(t *testing.T, text string) users {
	list, err := parseUsers([]byte(text))
	require.NoError(t, err)
	return users{&list}
}

func TestLogin(t *testing.T) {
	u := usersOf(t, "\ufeff# name:password\r\npress:hunter2\r\n\n mill :a:b\nÄ:ö\n")
	for _, c := range []struct {
		name, password string
		ok             bool
	}{
		{"press", "hunter2", true},
		{" mill ", "a:b", true},
		{"Ä", "ö", true},
		{"press", "hunter", false},
		{"press", "hunter22", false},
		{"press", "a:b", false},
		{"Press", "hunter2", false},
		{"press:hunter2", "", false},
		{" mill :a", "b", false},
		{"# name", "password", false},
		{"", "", false},
	} {
		assert.Equal(t, c.ok, u.login(c.name, c.password), "%q %q", c.name, c.password)
	}
	assert.False(t, users{}.login("", ""))
}

func TestUsersFiles(t *testing.T) {
	many := strings.Builder{}
	for i := range maxUsers + 1 {
		fmt.Fprintf(&many, "u%d:p\n", i)
	}
	for text, want := range map[string]string{
		"":                                  "FILE has no users: write lines of name:password",
		"\n# press:hunter2\n":               "FILE has no users: write lines of name:password",
		"a:b\npress hunter2\n":              "FILE has a line that is not name:password: line 2",
		":hunter2\n":                        "FILE has a line that is not name:password: line 1",
		"hunter2:\n":                        "FILE has a line that is not name:password: line 1",
		"hunter2:1\n\nhunter2:2":            "FILE has the name of line 1 again in line 3: a user has one password",
		"hunter2\xff:1":                     "FILE is not UTF-8: save it as UTF-8 text",
		many.String():                       "FILE has more than 1000 users",
		strings.Repeat("#", maxUsersFile+1): "FILE is larger than 256KiB: it should have lines of name:password",
	} {
		path := filepath.Join(t.TempDir(), "users")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := readUsers(path)
		assert.EqualError(t, err, strings.ReplaceAll(want, "FILE", path))
	}
	_, err := readUsers("/nowhere")
	assert.ErrorContains(t, err, "open /nowhere")
	_, err = readUsers(t.TempDir())
	assert.ErrorContains(t, err, "read ")
}

func TestUsersDoNotShow(t *testing.T) {
	s := settings{users: usersOf(t, "press:hunter2")}
	password := (*s.users.list)[0].password
	digest := fmt.Sprintf("%d %d %d", password[0], password[1], password[2])
	text := fmt.Sprintf("%v %+v %#v %s %#v", s, s, s, s.users, s.users)
	j, err := json.Marshal(map[string]any{"users": s.users})
	require.NoError(t, err)
	var out page
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "users", s.users)
	for _, text := range []string{text, string(j), out.String()} {
		assert.NotContains(t, text, "hunter2")
		assert.NotContains(t, text, digest)
		assert.Contains(t, text, hidden)
	}
}
