package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/bench/load"
)

// echoServer answers with what it was asked; from request number wrong on with something else.
func echoServer(t *testing.T, wrong int64) *httptest.Server {
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/echo":
			http.NotFound(w, r)
		case n.Add(1) > wrong:
			_, _ = io.WriteString(w, `{"seq":1}`)
		default:
			w.Header().Set("Token", r.Header.Get("Authorization"))
			_, _ = io.Copy(w, r.Body)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

const never = 1 << 40

func TestLoad(t *testing.T) {
	server := echoServer(t, never)
	folder := t.TempDir()
	report, picture := filepath.Join(folder, "report.json"), filepath.Join(folder, "plot.svg")
	w := newWorld()
	code := w.run("load", "--rate=200", "--duration=1100ms", "--warm-up=0s", "--connections=64", "--payload=100",
		"--json="+report, "--plot="+picture, server.URL+"/echo")
	assert.Equal(t, exitDone, code, w.stderr.String())
	for _, want := range []string{"open loop, 200 requests/s, 64 connections, 1.1s counted", "100 bytes each; expected: echo", "faults       lost 0, wrong 0, duplicate 0", "started      220 requests, 200/s"} {
		assert.Contains(t, w.stdout.String(), want)
	}
	assert.Contains(t, w.stderr.String(), "1s of 1s: ")

	b, err := os.ReadFile(report)
	require.NoError(t, err)
	var got load.Report
	require.NoError(t, json.Unmarshal(b, &got))
	assert.EqualValues(t, 220, got.Requests)
	assert.Equal(t, generator(commit()), got.Version)
	b, err = os.ReadFile(picture)
	require.NoError(t, err)
	assert.Contains(t, string(b), "<svg")
}

func TestLoadFindsCapacity(t *testing.T) {
	server := echoServer(t, never)
	w := newWorld()
	code := w.run("load", "--rate=800000", "--duration=20ms", "--warm-up=0s", "--connections=1", "--find-capacity", "--p99=1h",
		"--json=-", server.URL+"/echo")
	var got load.Capacity
	require.NoError(t, json.Unmarshal([]byte(w.stdout.String()), &got), "JSON alone: %s", w.stdout.String())
	assert.Equal(t, code == exitDone, got.PerSecond > 0)
	assert.Equal(t, "not started", got.Steps[0].Reason[len(got.Steps[0].Reason)-len("not started"):])
	assert.Equal(t, generator(commit()), got.Steps[0].Report.Version)
	assert.Equal(t, len(got.Steps), strings.Count(w.stderr.String(), "\n"), "a line for each step")
}

// A wrong answer is the end of pretending: exit code 1, with the report.
func TestLoadWithWrongAnswers(t *testing.T) {
	server := echoServer(t, 5)
	w := newWorld()
	assert.Equal(t, exitFailed, w.run("load", "--rate=100", "--duration=100ms", "--warm-up=0s", server.URL+"/echo"))
	assert.Contains(t, w.stdout.String(), "lost 0, wrong 6, duplicate 0")
	assert.Contains(t, w.stdout.String(), `the answer is "{\"seq\":1}"`)

	w = newWorld() // and of the first answer, nobody is let ask on
	assert.Equal(t, exitFailed, w.run("load", server.URL+"/echo"))
	assert.Contains(t, w.stderr.String(), "the first answer is not what is expected")
	assert.Empty(t, w.stdout.String())
}

// A signal ends a run early, with a report of what was measured.
func TestLoadIsInterrupted(t *testing.T) {
	w := newWorld()
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 10 {
			w.caught <- os.Interrupt
		}
		_, _ = io.Copy(rw, r.Body)
	}))
	defer server.Close()
	assert.Equal(t, exitFailed, w.run("load", "--rate=200", "--duration=1h", "--warm-up=0s", server.URL))
	assert.Contains(t, w.stdout.String(), "The run was interrupted; 0 requests were in flight.")

	// and a second one does not wait for what is in flight
	w = newWorld()
	hang := make(chan struct{})
	n.Store(0)
	stuck := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 2 {
			w.caught <- os.Interrupt
			w.caught <- os.Interrupt
		}
		if n.Load() >= 2 {
			<-hang
		}
		_, _ = io.Copy(rw, r.Body)
	}))
	assert.Equal(t, 130, w.run("load", "--rate=200", "--duration=1h", "--warm-up=0s", stuck.URL))
	close(hang)
	stuck.Close()
}

// What cannot be run leaves no files.
func TestLoadFails(t *testing.T) {
	server := echoServer(t, never)
	folder := t.TempDir()
	for _, args := range [][]string{
		{"--json=" + filepath.Join(folder, "x.json"), "--plot=" + filepath.Join(folder, "no", "x.svg"), server.URL + "/echo"},
		{"--json=" + filepath.Join(folder, "x.json"), server.URL + "/nowhere"},
		{"--json=" + filepath.Join(folder, "x.json"), "--find-capacity", server.URL + "/nowhere"},
	} {
		w := newWorld()
		assert.Equal(t, exitFailed, w.run(append([]string{"load", "--duration=100ms"}, args...)...))
		assert.NotEmpty(t, w.stderr.String())
		assert.Empty(t, w.stdout.String())
	}
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// A report that is there is replaced by the next one, and by nothing else: what cannot be run leaves
// it alone, and does not take away what it has not made, such as /dev/null.
func TestLoadReplacesReports(t *testing.T) {
	server := echoServer(t, never)
	report := filepath.Join(t.TempDir(), "report.json")
	before := strings.Repeat("before ", 10_000)
	require.NoError(t, os.WriteFile(report, []byte(before), 0o600))
	assert.Equal(t, exitFailed, newWorld().run("load", "--json="+report, server.URL+"/nowhere"))
	b, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Equal(t, before, string(b))

	w := newWorld()
	assert.Equal(t, exitDone, w.run("load", "--rate=100", "--duration=100ms", "--warm-up=0s", "--json="+report, server.URL+"/echo"), w.stderr.String())
	b, err = os.ReadFile(report)
	require.NoError(t, err)
	assert.True(t, json.Valid(b), "nothing is left behind the new one")
}

// A signal before anything was asked is not told as an error of Go's.
func TestLoadIsInterruptedAtOnce(t *testing.T) {
	w := newWorld()
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		w.caught <- os.Interrupt
		<-asked
	}))
	defer server.Close()
	defer close(asked)
	assert.Equal(t, exitFailed, w.run("load", server.URL))
	assert.Equal(t, "flowsync: interrupted\n", w.stderr.String())
}

func TestLoadToken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer hunter2" || r.Header.Get("X-Plant") != "7" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("hunter2\n"), 0o600))
	w := newWorld()
	assert.Equal(t, exitDone, w.run("load", "--rate=0", "--duration=200ms", "--warm-up=0s", "--connections=2", "--http-token-file="+token, "--header=X-Plant: 7", server.URL), "%s%s", &w.stdout.buf, &w.stderr.buf)
	assert.NotContains(t, w.stdout.String()+w.stderr.String(), "hunter2")
	w = newWorld()
	assert.Equal(t, exitFailed, w.run("load", server.URL))
	assert.Contains(t, w.stderr.String(), "401 Unauthorized")
}

func TestLoadUsage(t *testing.T) {
	const url = "http://127.0.0.1:1/x"
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"--rate=1e7", "--connections=0", "--duration=1", "--timeout=2h", "--ramp=-1s", url},
			[]string{"5 options are wrong", "--rate: \"1e7\"", "--connections", "--duration", "--timeout", "--ramp"}},
		{[]string{"--rate=NaN", url}, []string{"is not a number of requests a second"}},
		{[]string{"--rate=0", "--ramp=1s", url}, []string{"--ramp and --find-capacity need a rate"}},
		{[]string{"--rate=0", "--find-capacity", url}, []string{"--ramp and --find-capacity need a rate"}},
		{[]string{"--rate=0.01", url}, []string{"not one request would start"}},
		{[]string{"--find-capacity", "--p99=0s", url}, []string{"--p99"}},
		{[]string{"--payload=5", url}, []string{"--payload: 5 is out of range, want 32 B to 1MiB"}},
		{[]string{"--method=HEAD", "--expect=x", "ftp://h"}, []string{"3 options are wrong", "HEAD", "neither echo", "ftp"}},
		{[]string{"--header=x", "--http-token-file=/nowhere", "--ca=/nowhere", url}, []string{"3 options are wrong", "--header: \"x\" is not a field", "--http-token-file", "--ca"}},
		{[]string{"--header=a b:c", url}, []string{"has a name that is none"}},
		{[]string{"--ca=load_test.go", url}, []string{"has no certificate in PEM"}},
		{[]string{"--opcua-method=ns=1;s=A.B", url}, []string{"--opcua-method: is for opc.tcp://"}},
		{[]string{"--opcua-variable=ns=1;s=A.B", "--opcua-user=x", "--opcua-policy=None", url},
			[]string{"--opcua-variable: is for opc.tcp://", "--opcua-user: is for opc.tcp://", "--opcua-policy: is for opc.tcp://"}},
		{[]string{"--json=x", "--plot=x", url}, []string{"--plot: x is where --json goes"}},
		{[]string{"opc.tcp://127.0.0.1:4841"}, []string{"neither a method nor a variable"}},
		{[]string{"--body={}", "--header=a:b", "--http-token-file=x", "--ca=x", "--opcua-method=ns=1;s=A.B", "opc.tcp://127.0.0.1:4841"},
			[]string{"--body: is for http://", "--header: is for http://", "--http-token-file: is for http://", "--ca: is for http://"}},
		{[]string{"--opcua-user=a", "--opcua-cert=b", "opc.tcp://127.0.0.1:4841"}, []string{"--opcua-password-file too", "--opcua-key too"}},
	} {
		w := newWorld()
		assert.Equal(t, exitUsage, w.run(append([]string{"load"}, c.args...)...), c.args)
		for _, want := range c.want {
			assert.Contains(t, w.stderr.String(), want, c.args)
		}
		assert.Empty(t, w.stdout.String())
	}
}

// What is asked over OPC UA is told the target whole.
func TestLoadOPCUA(t *testing.T) {
	var j judge
	c := loadCommand{URL: "opc.tcp://127.0.0.1:4841/UA"}
	c.Payload, c.OPCUASessions, c.Expect = "64", "2", load.ExpectEcho
	c.OPCUAMethod = "ns=1;s=Press.MayStart"
	require.NotNil(t, c.target(&j))
	require.NoError(t, j.err())
	assert.Equal(t, "opc.tcp://127.0.0.1:4841/UA ns=1;s=Press.MayStart", c.target(&j).String())
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A report that cannot be written is an error.
func TestLoadOutputFails(t *testing.T) {
	o, err := openOutputs(brokenWriter{}, "", "")
	require.NoError(t, err)
	assert.ErrorIs(t, o.write(new(load.Report)), io.ErrClosedPipe)
}

func TestGenerator(t *testing.T) {
	assert.Equal(t, "flowsync "+version, generator(commitOf(nil)), "the build knows no commit")
	assert.Equal(t, "flowsync "+version+" (4711)", generator("4711"))
}
