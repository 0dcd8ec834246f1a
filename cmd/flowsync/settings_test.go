package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/logging"
)

var defaults = settings{
	model:           modelSettings{params: map[string]string{}},
	http:            "127.0.0.1:8080",
	httpPrefix:      "/data",
	admin:           "127.0.0.1:9090",
	broker:          brokerSettings{keepAlive: 30 * time.Second, connections: 1, maxPacket: 1 << 20},
	maxInFlight:     100_000,
	maxHeldBytes:    1 << 30,
	drain:           10 * time.Second,
	logFormat:       logging.Auto,
	logLevel:        "info",
	logTransactions: logging.Failed,
}

func TestDefaults(t *testing.T) {
	w := newWorld()
	require.Equal(t, exitDone, w.run("run", "a.yaml", "b.yaml"), w.stderr.String())
	assert.Equal(t, &defaults, w.got)
	assert.Equal(t, []string{"a.yaml", "b.yaml"}, w.files)
}

// options has for each flag of run a value, what it must not be without, and what it changes.
func options(t *testing.T) map[string]struct {
	value string
	with  []string
	want  func(*settings)
} {
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte("hunter2\n"), 0o600))
	users := filepath.Join(t.TempDir(), "users")
	require.NoError(t, os.WriteFile(users, []byte("press:hunter2\n"), 0o600))
	tls := []string{"--broker=mqtts://b:1"}
	withTLS := func(change func(*settings)) func(*settings) {
		return func(s *settings) { s.broker.url = "mqtts://b:1"; change(s) }
	}
	return map[string]struct {
		value string
		with  []string
		want  func(*settings)
	}{
		"http":              {"localhost:0", nil, func(s *settings) { s.http = "localhost:0" }},
		"http-prefix":       {"/a/b/", nil, func(s *settings) { s.httpPrefix = "/a/b" }},
		"http-cert":         {"c", []string{"--http-key=k"}, func(s *settings) { s.httpCert, s.httpKey = "c", "k" }},
		"http-key":          {"k", []string{"--http-cert=c"}, func(s *settings) { s.httpCert, s.httpKey = "c", "k" }},
		"http-allow-origin": {"https://a:1,*", nil, func(s *settings) { s.origins = []string{"https://a:1", "*"} }},
		"http-token-file":   {file, nil, func(s *settings) { s.token, s.tokenFile = secretOf("hunter2"), file }},
		"opcua":             {"127.0.0.1:4841", nil, func(s *settings) { s.opcua = "127.0.0.1:4841" }},
		"opcua-users-file": {users, nil, func(s *settings) {
			list, _ := parseUsers([]byte("press:hunter2"))
			s.users.list, s.usersFile = &list, users
		}},
		"admin":                {"[::1]:1", nil, func(s *settings) { s.admin = "[::1]:1" }},
		"insecure":             {"true", nil, func(s *settings) { s.insecure = true }},
		"broker":               {"mqtt://b", nil, func(s *settings) { s.broker.url = "mqtt://b" }},
		"broker-user":          {"u", tls, withTLS(func(s *settings) { s.broker.user = "u" })},
		"broker-password-file": {file, tls, withTLS(func(s *settings) { s.broker.password = secretOf("hunter2") })},
		"broker-ca":            {"ca", tls, withTLS(func(s *settings) { s.broker.ca = "ca" })},
		"broker-cert":          {"c", append(tls, "--broker-key=k"), withTLS(func(s *settings) { s.broker.cert, s.broker.key = "c", "k" })},
		"broker-key":           {"k", append(tls, "--broker-cert=c"), withTLS(func(s *settings) { s.broker.cert, s.broker.key = "c", "k" })},
		"mqtt-client-id":       {"id", []string{"--broker=mqtt://h"}, func(s *settings) { s.broker.url, s.broker.clientID = "mqtt://h", "id" }},
		"mqtt-keep-alive":      {"1m", nil, func(s *settings) { s.broker.keepAlive = time.Minute }},
		"mqtt-connections":     {"16", nil, func(s *settings) { s.broker.connections = 16 }},
		"mqtt-max-packet":      {"64KiB", nil, func(s *settings) { s.broker.maxPacket = 64 << 10 }},
		"no-share":             {"true", nil, func(s *settings) { s.broker.noShare = true }},
		"embedded":             {"127.0.0.1:0", nil, func(s *settings) { s.embedded = "127.0.0.1:0" }},
		"max-in-flight":        {"7", nil, func(s *settings) { s.maxInFlight = 7 }},
		"max-held-bytes":       {"2 gb", nil, func(s *settings) { s.maxHeldBytes = 2e9 }},
		"drain":                {"0s", nil, func(s *settings) { s.drain = 0 }},
		"state":                {"dir", nil, func(s *settings) { s.state = "dir" }},
		"param":                {"a=b=c,d", nil, func(s *settings) { s.model.params = map[string]string{"a": "b=c,d"} }},
		"service-id":           {"id", nil, func(s *settings) { s.model.serviceID = "id" }},
		"lenient":              {"true", nil, func(s *settings) { s.model.lenient = true }},
		"log-format":           {"json", nil, func(s *settings) { s.logFormat = logging.JSON }},
		"log-level":            {"warn", nil, func(s *settings) { s.logLevel = "warn" }},
		"log-transactions":     {"none", nil, func(s *settings) { s.logTransactions = logging.None }},
	}
}

func flagsOfRun(t *testing.T) (flags []*kong.Flag) {
	parser, err := newParser(newWorld().process)
	require.NoError(t, err)
	for _, command := range parser.Model.Children {
		if command.Name == "run" {
			flags = command.Flags
		}
	}
	require.NotEmpty(t, flags)
	return flags
}

// Every flag does what it says, on the command line and in the environment.
func TestEveryFlagAndItsVariable(t *testing.T) {
	all := options(t)
	for _, flag := range flagsOfRun(t) {
		o, ok := all[flag.Name]
		if !assert.True(t, ok, "--%s has no test", flag.Name) {
			continue
		}
		assert.NotEmpty(t, flag.Help, flag.Name)
		want := defaults
		o.want(&want)
		for _, from := range []string{"flag", "environment"} {
			t.Run(flag.Name+" from "+from, func(t *testing.T) {
				args := append([]string{"run", "file"}, o.with...)
				if from == "flag" {
					args = append(args, "--"+flag.Name+"="+o.value)
				} else {
					t.Setenv(envName(flag.Name), o.value)
				}
				w := newWorld()
				require.Equal(t, exitDone, w.run(args...), w.stderr.String())
				assert.Equal(t, &want, w.got)
			})
		}
		delete(all, flag.Name)
	}
	assert.Empty(t, all, "these are no flags")
}

func TestFlagBeatsVariable(t *testing.T) {
	t.Setenv("FLOWSYNC_DRAIN", "1s")
	t.Setenv("FLOWSYNC_PARAM", "a=1")
	w := newWorld()
	require.Equal(t, exitDone, w.run("run", "file", "--drain=2s", "--param=b=2"), w.stderr.String())
	assert.Equal(t, 2*time.Second, w.got.drain)
	assert.Equal(t, map[string]string{"b": "2"}, w.got.model.params)
}

func TestParamsFromTheEnvironment(t *testing.T) {
	t.Setenv("FLOWSYNC_PARAM", "\na=1, 2\r\nb=\n\n")
	w := newWorld()
	require.Equal(t, exitDone, w.run("run", "file"), w.stderr.String())
	assert.Equal(t, map[string]string{"a": "1, 2", "b": ""}, w.got.model.params)
}

func TestPasswordFromTheEnvironment(t *testing.T) {
	t.Setenv("FLOWSYNC_BROKER_PASSWORD", "hunter2")
	w := newWorld()
	require.Equal(t, exitDone, w.run("run", "file", "--broker=mqtt://b"), w.stderr.String())
	assert.Equal(t, "hunter2", w.got.broker.password.reveal())
	w = newWorld()
	require.Equal(t, exitDone, w.run("run", "file"), "it may be set for all")
}

func TestWhoMayBeReached(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("t"), 0o600))
	for _, c := range []struct {
		args string
		ok   bool
	}{
		{"--http=127.9.9.9:1 --admin=localhost:1 --embedded=[::1]:1", true},
		{"--http=:1", false},
		{"--http=0.0.0.0:1", false},
		{"--http=[::]:1", false},
		{"--http=192.0.2.1:1", false},
		{"--http=plant:1", false},
		{"--http=:1 --http-token-file=" + token, true},
		{"--http=:1 --insecure", true},
		{"--admin=:1", false},
		{"--admin=:1 --http-token-file=" + token, false},
		{"--admin=:1 --insecure", true},
		{"--embedded=:1", false},
		{"--embedded=:1 --insecure", true},
	} {
		w := newWorld()
		code := w.run(append([]string{"run", "file"}, strings.Fields(c.args)...)...)
		if c.ok {
			assert.Equal(t, exitDone, code, c.args+w.stderr.String())
			continue
		}
		assert.Equal(t, exitUsage, code, c.args)
		assert.Contains(t, w.stderr.String(), "--insecure", c.args)
	}
}

// All faults are reported together, each with its flag or variable and what to do.
func TestFaults(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		return filepath.Join(dir, name)
	}
	t.Setenv("FLOWSYNC_LOG_LEVEL", "loud")
	t.Setenv("FLOWSYNC_BROKER_PASSWORD", "hunter2")
	w := newWorld()
	code := w.run("run", "a", "b",
		"--http=8080", "--http-prefix=a b", "--http-cert=c", "--http-allow-origin=plant", "--http-token-file="+write("empty", "\nx"),
		"--opcua=h:99999", "--opcua-users-file="+write("users", "press\n"), "--admin=a b:1", "--broker=mqtt://u:hunter3@b", "--embedded=:1",
		"--broker-key=k", "--broker-password-file="+write("two", "a\nb\n"), "--mqtt-keep-alive=1500ms", "--mqtt-connections=17", "--mqtt-max-packet=1",
		"--max-in-flight=many", "--max-held-bytes=1TiB", "--drain=-1s", "--param=x", "--param==1", "--param=a=1", "--param=a=2",
		"--service-id=s", "--log-format=xml", "--log-transactions=all")
	assert.Equal(t, exitUsage, code)
	got := strings.ReplaceAll(w.stderr.String(), dir, "DIR")
	assert.NotContains(t, got, "hunter")
	golden(t, "faults.txt", got)
}

func TestSingleFaults(t *testing.T) {
	large := filepath.Join(t.TempDir(), "large")
	require.NoError(t, os.WriteFile(large, make([]byte, maxSecret+1), 0o600))
	for _, c := range []struct{ args, want string }{
		{"--broker=mqtt://b --broker-ca=f", "--broker-ca: the connection is encrypted with mqtts:// only"},
		{"--broker-user=u", "--broker-user: there is no --broker"},
		{"--broker=mqtt://b --embedded=127.0.0.1:1", "--embedded: the broker inside the process runs only without --broker"},
		{"--broker=tcp://b", "--broker: begins with none of the schemes"},
		{"--broker=mqtt://", "--broker: has no host"},
		{"--broker=mqtt://b/topic", "--broker: has something behind the host"},
		{"--broker=mqtt://[", "--broker: cannot be read"},
		{"--broker=", "--broker: is given, and empty"},
		{"--broker=mqtt://b:99999", "--broker: has the port 99999"},
		{"--mqtt-client-id=a", "--mqtt-client-id: there is no --broker"},
		{"--http-key=k", "--http-key: needs --http-cert too"},
		{"--http-token-file=/nowhere", "--http-token-file: open /nowhere"},
		{"--http-token-file=/", "--http-token-file: read /"},
		{"--http-token-file=" + large, "is larger than"},
		{"--mqtt-max-packet=257MiB", "--mqtt-max-packet: 257MiB is out of range, want 1KiB to 256MiB"},
		{"--max-held-bytes=0", "want 1 B to 1024GiB"},
		{"--max-held-bytes=99999999999999999999", "is not a size"},
	} {
		w := newWorld()
		assert.Equal(t, exitUsage, w.run(append([]string{"run", "file"}, strings.Fields(c.args)...)...), c.args)
		assert.Contains(t, w.stderr.String(), c.want)
		assert.Equal(t, 1, strings.Count(w.stderr.String(), "\n"), w.stderr.String())
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	s := brokerSettings{user: "u", password: secretOf("hunter2")}
	text := fmt.Sprintf("%v %+v %#v %s", s, s, s, s.password)
	j, err := json.Marshal(map[string]any{"password": s.password})
	require.NoError(t, err)
	var out page
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "password", s.password)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "password", s.password)
	for _, text := range []string{text, string(j), out.String()} {
		assert.NotContains(t, text, "hunter2")
		assert.Contains(t, text, hidden)
	}
	assert.Empty(t, secret{}.reveal())
}
