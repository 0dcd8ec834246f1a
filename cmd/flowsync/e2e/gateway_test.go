package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

// gateway is a running program.
type gateway struct {
	t       testing.TB
	process *exec.Cmd
	log     *tail
	exited  chan struct{} // closed when it has
	exit    error         // valid then

	http, opcua, admin, broker string // host:port
}

// examples is where the commissioning files for users are.
const examples = "../examples/"

// start runs "flowsync run" with the arguments on free ports, and waits until it serves. Unless
// the arguments name a broker, the one inside the process is used.
func start(t testing.TB, args ...string) *gateway {
	t.Helper()
	return startCommand(t, binary, append([]string{"run"}, args...)...)
}

func startCommand(t testing.TB, program string, args ...string) *gateway {
	t.Helper()
	if given := strings.Join(args, " "); !strings.Contains(given, "--broker") && !strings.Contains(given, "--embedded") {
		args = append(args, "--embedded", "127.0.0.1:0")
	}
	args = append(args, "--http", "127.0.0.1:0", "--opcua", "127.0.0.1:0", "--admin", "127.0.0.1:0")
	g := &gateway{t: t, process: exec.Command(program, args...), log: new(tail), exited: make(chan struct{})}
	g.process.Stderr = g.log
	stdout, err := g.process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, g.process.Start())
	t.Cleanup(g.kill)
	g.read(stdout)
	return g
}

var shown = regexp.MustCompile(`^  (HTTP|OPC UA|broker|admin) +[a-z.]+://([0-9.:]+)`)

// read takes the addresses from what the program shows, and waits for its end in the background.
func (g *gateway) read(stdout io.Reader) {
	g.t.Helper()
	served := make(chan bool, 1)
	go func() {
		defer close(g.exited)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if m := shown.FindStringSubmatch(lines.Text()); m != nil {
				*map[string]*string{"HTTP": &g.http, "OPC UA": &g.opcua, "broker": &g.broker, "admin": &g.admin}[m[1]] = m[2]
			}
			if strings.HasPrefix(lines.Text(), "Stop with") {
				served <- true
			}
		}
		close(served)
		g.exit = g.process.Wait()
	}()
	select {
	case ok := <-served:
		require.True(g.t, ok, "it ended instead of serving:\n%s", g.log)
	case <-time.After(patience):
		require.Fail(g.t, "it does not serve", "%s", g.log)
	}
}

// kill ends the program if it still runs, and shows its log if the test has failed.
func (g *gateway) kill() {
	g.process.Process.Kill()
	<-g.exited
	if g.t.Failed() {
		g.t.Logf("log of the gateway:\n%s", g.log)
	}
	if strings.Contains(g.log.String(), "DATA RACE") {
		g.t.Errorf("the gateway has a data race:\n%s", g.log)
	}
}

// end sends a signal and returns the exit code and how long it took.
func (g *gateway) end(signal os.Signal) (code int, took time.Duration) {
	g.t.Helper()
	began := time.Now()
	require.NoError(g.t, g.process.Process.Signal(signal))
	select {
	case <-g.exited:
	case <-time.After(patience):
		require.Fail(g.t, "it does not end")
	}
	var exit *exec.ExitError
	if errors.As(g.exit, &exit) {
		return exit.ExitCode(), time.Since(began)
	}
	require.NoError(g.t, g.exit)
	return 0, time.Since(began)
}

// metrics reads all samples: name with labels → value.
func (g *gateway) metrics() map[string]float64 {
	g.t.Helper()
	reply := ask(g.t, client(1), "GET", "http://"+g.admin+"/metrics", "")
	require.Equal(g.t, 200, reply.status)
	samples := map[string]float64{}
	for line := range strings.Lines(string(reply.body)) {
		if at := strings.LastIndexByte(line, ' '); at > 0 && line[0] != '#' {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
			require.NoError(g.t, err)
			samples[line[:at]] = value
		}
	}
	return samples
}

// count is the sum of the samples of a metric whose labels contain the text.
func (g *gateway) count(name, label string) int {
	g.t.Helper()
	sum := 0.0
	for sample, value := range g.metrics() {
		if (sample == name || strings.HasPrefix(sample, name+"{")) && strings.Contains(sample, label) {
			sum += value
		}
	}
	return int(sum)
}

func (g *gateway) held() int { return g.count("flowsync_held", "") }
func (g *gateway) outcome(word string) int {
	return g.count("flowsync_transactions_total", `outcome="`+word+`"`)
}
func (g *gateway) answers(kind string) int {
	return g.count("flowsync_answers_total", `kind="`+kind+`"`)
}

// addsUp requires that nothing is held and that every transaction that began has one outcome.
func (g *gateway) addsUp(begun int) {
	g.t.Helper()
	require.Zero(g.t, g.held())
	require.Equal(g.t, begun, g.count("flowsync_transactions_begun_total", ""), "begun")
	require.Equal(g.t, begun, g.count("flowsync_transactions_total", ""), "outcomes")
}

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailSize = 64 << 10

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.buf.Write(p)
	if w.buf.Len() > 2*tailSize {
		w.buf.Next(w.buf.Len() - tailSize)
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// deadline is a context for one test.
func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
