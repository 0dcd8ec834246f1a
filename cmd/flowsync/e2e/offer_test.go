package e2e

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	benchload "github.com/flowsync-go/flowsync/bench/load"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
)

// offer runs "flowsync load" and returns its exit code, its report and what it said on standard error.
func offer(t testing.TB, args ...string) (code int, report benchload.Report, said string) {
	t.Helper()
	command := exec.CommandContext(deadline(t), binary, append([]string{"load", "--json=-", "--warm-up=0s"}, args...)...)
	log := new(tail)
	command.Stderr = log
	out, err := command.Output()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit, "%s", log)
		code = exit.ExitCode()
	}
	if len(out) > 0 {
		require.NoError(t, json.Unmarshal(out, &report), "%s", out)
	}
	return code, report, log.String()
}

// Nothing is lost, wrong or duplicate, in an open and in a closed loop, and both sides count the same.
func TestLoadCommand(t *testing.T) {
	g := start(t, "testdata/order.yaml")
	respond(t, responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}, Shuffle: true, DelayMax: 20 * time.Millisecond, Seed: 1})
	url := "http://" + g.http + "/data/order"
	code, open, said := offer(t, "--rate=300", "--duration=1s", "--ramp=200ms", "--connections=128", "--payload=200", url)
	require.Zero(t, code, "%s %+v", said, open)
	assert.EqualValues(t, 300, open.Requests)
	assert.Zero(t, open.Unstarted)
	assert.Positive(t, open.Latency.P50)

	code, closed, said := offer(t, "--rate=0", "--duration=500ms", "--connections=16", url)
	require.Zero(t, code, "%s %+v", said, closed)
	assert.Positive(t, closed.Requests)
	answered := g.outcome("answered")
	assert.GreaterOrEqual(t, answered, int(open.Requests+closed.Requests)+2, "two of them only tried, some are from the ramp")
	g.addsUp(answered)
}

// What the gateway says of responders that do not answer well is in the report, and is no fault of it.
func TestLoadCommandWithABadResponder(t *testing.T) {
	g := start(t, "testdata/order.yaml")
	o := responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}, ErrorCode: 409, ErrorMessage: "no", Seed: 1}
	o.Shares[responder.Error], o.Shares[responder.IDOnly], o.Shares[responder.Duplicate] = 20, 20, 20
	respond(t, o)
	code, report, said := offer(t, "--rate=500", "--duration=1s", "http://"+g.http+"/data/order")
	require.Zero(t, code, "%s %+v", said, report)
	before := 0 // requests before the run: one, which tries whether it makes sense
	for _, tally := range report.Outcomes {
		more := g.outcome(tally.Outcome) - int(tally.Count)
		assert.Contains(t, []int{0, 1}, more, tally.Outcome)
		before += more
	}
	assert.Equal(t, 1, before)
	assert.Len(t, report.Outcomes, 3)
}

// A gateway that dies under load loses requests: the report says so, and so does the exit code.
func TestLoadCommandLoses(t *testing.T) {
	g := start(t, "testdata/order.yaml")
	mes := respond(t, responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}})
	go func() {
		for mes.Report().Received < 100 {
			select {
			case <-g.exited:
				return
			case <-time.After(time.Millisecond):
			}
		}
		g.process.Process.Kill()
	}()
	code, report, said := offer(t, "--rate=500", "--duration=1s", "--connections=8", "http://"+g.http+"/data/order")
	assert.Equal(t, 1, code, said)
	assert.Positive(t, report.Lost)
	assert.Zero(t, report.Wrong)
	assert.NotEmpty(t, report.Faults)
}

// A route that is not there, and answers that are not what is expected, are told at once.
func TestLoadCommandRefuses(t *testing.T) {
	g := start(t, "testdata/order.yaml")
	respond(t, responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}, Value: []byte(`{"order":1}`)})
	for url, want := range map[string]string{
		"http://" + g.http + "/data/nowhere": "404 Not Found",
		"http://" + g.http + "/data/order":   "the first answer is not what is expected",
	} {
		began := time.Now()
		code, _, said := offer(t, "--duration=1h", url)
		assert.Equal(t, 1, code)
		assert.Contains(t, said, want)
		assert.Less(t, time.Since(began), patience)
	}
}

// The lines that the README shows ask what `make run` serves.
func TestReadmeLoad(t *testing.T) {
	g := start(t, examples+"quickstart.yaml")
	shown := 0
	for line := range strings.Lines(readme(t, "bash", "flowsync load")) {
		line, _, _ = strings.Cut(line, " #")
		line = strings.NewReplacer("127.0.0.1:8080", g.http, "127.0.0.1:4841", g.opcua).Replace(line)
		args := words(line)
		require.Equal(t, []string{"flowsync", "load"}, args[:2])
		args = append(args[2:], "--duration=300ms", "--rate=100")
		code, report, said := offer(t, args...)
		assert.Zero(t, code, "%s: %s", line, said)
		assert.EqualValues(t, 30, report.Requests)
		assert.True(t, report.Checked)
		shown++
	}
	assert.Equal(t, 2, shown)
}

// words splits a line as a shell does, as far as single quotes go.
func words(line string) (all []string) {
	for i, part := range strings.Split(strings.TrimSpace(line), "'") {
		if i%2 == 1 {
			all = append(all, part)
		} else {
			all = append(all, strings.Fields(part)...)
		}
	}
	return all
}

// Requesters who ask again at once although they are told to come back later get the answers that
// are possible, and cost few refusals: a connection is shed once a second, beside the few that are
// free. When they are gone the next one is answered.
func TestOverload(t *testing.T) {
	const (
		limit      = 20
		requesters = 200
		free       = 100
	)
	g := start(t, "--max-in-flight", fmt.Sprint(limit), "testdata/order.yaml")
	respond(t, responder.Options{Address: g.broker, Topics: []string{"services/e2e/order"}, DelayMin: 20 * time.Millisecond, DelayMax: 20 * time.Millisecond})
	url := "http://" + g.http + "/data/order"
	began := time.Now()
	code, report, said := offer(t, "--rate=0", "--duration=1500ms", fmt.Sprintf("--connections=%d", requesters), url)
	require.Zero(t, code, "%s %+v", said, report)
	shed, answered := g.outcome("shed"), g.outcome("answered")
	seconds := int(time.Since(began)/time.Second) + 2 // begun ones, and one more
	require.GreaterOrEqual(t, shed, requesters-limit-free, "what is over the limit is refused")
	require.LessOrEqual(t, shed, seconds*(requesters+free), "and no more often than need be")
	require.Greater(t, answered, 5*limit, "the places are used again and again")
	require.Eventually(t, func() bool { return g.held() == 0 }, patience, 10*time.Millisecond)
	after := ask(t, client(1), "POST", url, `{"n":1}`)
	require.Equal(t, 200, after.status, "%s", after.body)
	g.addsUp(answered + shed + 1)
}
