package responder

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mqtt/embedded"
)

func parse(args ...string) (*Command, error) {
	c := new(Command)
	k, err := kong.New(c, kong.DefaultEnvars("FLOWSYNC"), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		return nil, err
	}
	_, err = k.Parse(args)
	return c, err
}

func TestCommandDefaults(t *testing.T) {
	c, err := parse("services/a/b")
	require.NoError(t, err)
	o := c.options
	assert.Equal(t, "127.0.0.1:1883", o.Address)
	assert.Nil(t, o.TLS)
	assert.Equal(t, []string{"services/a/b"}, o.Topics)
	assert.Equal(t, Shares{}, o.Shares)
	assert.Zero(t, o.DelayMax)
	assert.Nil(t, o.Value)
	other, err := parse("services/a/b")
	require.NoError(t, err)
	assert.NotEqual(t, o.Seed, other.options.Seed, "random unless given")
}

func TestCommandFlags(t *testing.T) {
	t.Setenv("FLOWSYNC_SILENCE", "1%")
	t.Setenv(passwordVariable, "hunter2")
	c, err := parse(strings.Fields("--broker mqtts://me@plant --delay 5ms-50ms --error 5% --error-code 404 --duplicate 10 --late 0.5% --wrong-id 1% --garbage 2% --id-only 3% --retained 4% --shuffle --value 42 --seed 9 --qos 1 --late-by 1s a b/#")...)
	require.NoError(t, err)
	o := c.options
	assert.Equal(t, "plant:8883", o.Address)
	assert.NotNil(t, o.TLS)
	assert.Equal(t, "me", o.Username)
	assert.Equal(t, "hunter2", o.Password)
	assert.Equal(t, 5*time.Millisecond, o.DelayMin)
	assert.Equal(t, 50*time.Millisecond, o.DelayMax)
	assert.Equal(t, time.Second, o.LateBy)
	assert.Equal(t, Shares{Error: 5, Duplicate: 10, Late: 0.5, WrongID: 1, Garbage: 2, IDOnly: 3, Silence: 1, Retained: 4}, o.Shares)
	assert.Equal(t, 404, o.ErrorCode)
	assert.True(t, o.Shuffle)
	assert.Equal(t, "42", string(o.Value))
	assert.Equal(t, uint64(9), o.Seed)
	assert.Equal(t, byte(1), o.QoS)
	assert.Equal(t, []string{"a", "b/#"}, o.Topics)
}

func TestCommandFaults(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"--delay x --error 120% --seed=-1 --qos 3 --report 2h --error-code 500 a", []string{"--delay", "--error", "--seed", "--qos", "--report"}},
		{"--delay 50ms-5ms a", []string{"has the longer time first"}},
		{"--delay 1ms-x a", []string{`"x" is not a time`}},
		{"--late-by=-1s a", []string{"--late-by"}},
		{"--error 60% --silence 60% a", []string{"add up to 120 %"}},
		{"--value {x a", []string{"the value is not JSON"}},
		{"a/#/b", []string{"# must be the last level"}},
		{"--broker http://x a", []string{`scheme "http"`}},
		{"--broker mqtt:// a", []string{"no host"}},
		{"--broker mqtt://u:hunter2@h a", []string{"shows in process lists"}},
		{"--broker mqtt://h --broker-ca x a", []string{"mqtts:// only"}},
		{"--broker mqtts://h --broker-ca /none a", []string{"--broker-ca", "/none"}},
		{"--broker-password-file /none a", []string{"--broker-password-file", "/none"}},
		{"--broker mqtt://h:u:hunter2@% a", []string{"cannot be read"}},
	} {
		_, err := parse(strings.Fields(c.args)...)
		require.Error(t, err, c.args)
		for _, want := range c.want {
			assert.ErrorContains(t, err, want, c.args)
		}
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestPasswordFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(path, []byte("secret\r\nnot this\n"), 0o600))
	got, err := password(path)
	require.NoError(t, err)
	assert.Equal(t, "secret", got)
	require.NoError(t, os.WriteFile(path, []byte("\nsecret"), 0o600))
	_, err = password(path)
	assert.ErrorContains(t, err, "nothing in its first line")
	_, err = password(t.TempDir())
	assert.Error(t, err)
}

func TestOptionFaultsAllAtOnce(t *testing.T) {
	_, err := Start(Options{QoS: 3, DelayMin: 2, DelayMax: 1, LateBy: -1, Value: make([]byte, maxValue+1), MaxWaiting: -1})
	for _, want := range []string{"no broker address", "no topic", "QoS 3", "a delay of", "late by", "bytes, at most", "a bound of -1"} {
		assert.ErrorContains(t, err, want)
	}
}

func TestRunReports(t *testing.T) {
	broker, err := embedded.Start(embedded.Options{Addr: "127.0.0.1:0"})
	require.NoError(t, err)
	defer broker.Close(context.Background())
	c, err := parse("--broker", "mqtt://"+broker.Addr(), "--report", "1ms", "--seed", "5", "a")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	var log bytes.Buffer
	go func() {
		ended <- c.run(ctx, writer, &log)
		writer.Close()
	}()
	lines := json.NewDecoder(reader)
	var report Report
	for report.Connects == 0 {
		require.NoError(t, lines.Decode(&report))
	}
	assert.Equal(t, uint64(5), report.Seed)
	stop()
	for err == nil {
		err = lines.Decode(&report)
	}
	assert.Equal(t, io.EOF, err)
	require.NoError(t, <-ended)
	assert.Contains(t, log.String(), "responding")
	assert.Contains(t, log.String(), "a/treq")
}

func TestRunStopsWhenNobodyReads(t *testing.T) {
	c, err := parse("--broker", "mqtt://127.0.0.1:1", "--report", "1ms", "a")
	require.NoError(t, err)
	reader, writer := io.Pipe()
	reader.Close()
	assert.ErrorIs(t, c.run(context.Background(), writer, io.Discard), io.ErrClosedPipe)
}
