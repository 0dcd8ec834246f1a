package bench

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Every path answers everything, and the cost of each of its processes is told.
func TestPaths(t *testing.T) {
	var workloads []Workload
	for _, p := range []*Path{Mem(), Embedded(0), Embedded(1), External(0)} {
		for _, connections := range []int{1, 8} {
			w := StandardHTTP(p, connections)
			w.WarmUp, w.Window = 20*time.Millisecond, 100*time.Millisecond
			workloads = append(workloads, w)
		}
	}
	c, err := NewCampaign(workloads...)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	require.Len(t, c.sites, 4, "workloads share what they can")
	figures, err := c.Run(t.Context(), 1)
	require.NoError(t, err)
	for i, rounds := range figures {
		f, title := rounds[0], workloads[i].Title()
		require.Zero(t, f.Faults, title)
		require.Positive(t, f.Answers, title)
		require.Positive(t, f.CPUEach(), title)
		require.Positive(t, f.P50, title)
		require.LessOrEqual(t, f.P50, f.Max, title)
		for _, o := range f.Others {
			require.Positive(t, o.CPU, title+": "+o.Part)
		}
	}
	require.Empty(t, figures[0][0].Others)
	require.Equal(t, []string{Responder}, each(figures[2][0].Others, func(p PartCPU) string { return p.Part }))
	require.Equal(t, []string{Broker, Responder}, each(figures[6][0].Others, func(p PartCPU) string { return p.Part }))
	require.NoError(t, c.Profile(t.Context(), t.TempDir()))
}

// The CPU time that is read from outside is that which a process says of itself.
func TestProcessCPU(t *testing.T) {
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	before := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	cpu, err := processCPU(os.Getpid())
	require.NoError(t, err)
	const accuracy = 50 * time.Millisecond // of getrusage, by thread
	require.InDelta(t, before, cpu, float64(accuracy))
	rss, err := processRSS(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, rss, int64(1<<20))
	const nobody = 1 << 27 // there cannot be more than 1 << 22
	_, err = processCPU(nobody)
	require.Error(t, err)
	_, err = processRSS(nobody)
	require.Error(t, err)
}

// briefly has flags ask for one short round while a test runs.
func briefly(t *testing.T) {
	r, w := *rounds, *window
	*rounds, *window = 1, 60*time.Millisecond
	t.Cleanup(func() { *rounds, *window = r, w })
}

// reported runs a benchmark that must not fail, and returns what it reports.
func reported(t *testing.T, f func(b *testing.B)) map[string]float64 {
	t.Helper()
	failed := true
	r := testing.Benchmark(func(b *testing.B) {
		f(b)
		failed = b.Failed()
	})
	require.False(t, failed)
	for _, fault := range []string{"lost", "wrong", "duplicate"} {
		require.Zero(t, r.Extra[fault], fault)
	}
	return r.Extra
}

func TestHeldConnections(t *testing.T) {
	briefly(t)
	*rounds = 2
	r := reported(t, func(b *testing.B) { ReportHeldConnections(b, Embedded(0), 300) })
	require.Positive(t, r["p50-ms"])
	require.Positive(t, r["alone-p50-ms"])
	require.Positive(t, r["rss-idle-B"])
	require.InDelta(t, 1, r["goroutines/held"], 0.5)
}

func TestStart(t *testing.T) {
	briefly(t)
	r := reported(t, func(b *testing.B) { ReportStart(b) })
	require.Positive(t, r["start-ms"])
	require.Less(t, r["start-ms"], millis(Patience))
}

func TestPublishing(t *testing.T) {
	var workloads []Workload
	for _, p := range Buses([]int{1, 2}, []int{200}, []int{0, 1}) {
		p.Window = 50 * time.Millisecond
		workloads = append(workloads, p)
	}
	c, err := NewCampaign(workloads...)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	figures, err := c.Run(t.Context(), 1)
	require.NoError(t, err)
	for i, f := range figures {
		require.Zero(t, f[0].Faults, workloads[i].Title())
		require.Positive(t, f[0].Answers, workloads[i].Title())
		for _, m := range f[0].More {
			require.Positive(t, m.Value, m.Unit)
		}
	}
	require.ErrorContains(t, c.Profile(t.Context(), t.TempDir()), "-cpuprofile")
}

func TestOverload(t *testing.T) {
	allowed, err := allowedCPUs()
	require.NoError(t, err)
	site, asking, restore, err := divideCPUs()
	require.NoError(t, err)
	defer func() {
		require.NoError(t, restore())
		after, err := allowedCPUs()
		require.NoError(t, err)
		require.Equal(t, allowed, after)
	}()
	require.ElementsMatch(t, allowed, append(site, asking...))
	require.NoError(t, pin(asking))
	pinned, err := allowedCPUs()
	require.NoError(t, err)
	require.Equal(t, asking, pinned)

	require.NoError(t, pin(allowed))

	briefly(t)
	r := reported(t, func(b *testing.B) { ReportOverload(b, Embedded(0), 300) })
	require.Positive(t, r["peak-requests/s"])
	require.InDelta(t, overloadFactor*r["peak-requests/s"], r["offered/s"], 2)
	require.Positive(t, r["rss-before-B"])
	require.Positive(t, r["rss-after-B"])
}

func TestLatency(t *testing.T) {
	briefly(t)
	reported(t, func(b *testing.B) { ReportLatency(b, Rates()[:1], Mem()) })
}

// What cannot be started is an error that says what it said, and leaves nothing running.
func TestPathThatDoesNotStart(t *testing.T) {
	for name, c := range map[string]struct {
		open func(*Site) (string, error)
		want string
	}{
		"a broker that is not there": {func(s *Site) (string, error) {
			return "", s.Respond("127.0.0.1:1", "a topic with + in the middle+", 0)
		}, "topic"},
		"a program that is not there": {func(s *Site) (string, error) {
			return "", s.Run(Gateway, func(string) bool { return true }, "/nowhere")
		}, "/nowhere"},
		"a file that is wrong": {func(s *Site) (string, error) {
			_, err := s.Serve(Broker, Config{Server: MochiName})
			require.NoError(t, err)
			file, err := s.File("wrong.yaml", "resources: 1\n")
			require.NoError(t, err)
			_, err = s.flowsyncWith(file)
			return "", err
		}, "wrong.yaml"},
		"no gateway": {func(*Site) (string, error) { return "", nil }, "no gateway"},
	} {
		_, err := openSite(&Path{Name: name, Open: c.open}, t.TempDir())
		require.ErrorContains(t, err, c.want, name)
	}
}

// A process that ends while it is measured is noticed.
func TestPathThatEnds(t *testing.T) {
	s, err := openSite(Embedded(0), t.TempDir())
	require.NoError(t, err)
	require.NoError(t, s.alive())
	for _, p := range s.parts {
		require.NoError(t, syscall.Kill(p.process.PID(), syscall.SIGKILL))
		<-p.process.(*Program).ended
	}
	require.ErrorContains(t, s.alive(), "has ended by itself")
	_, err = s.metrics(t.Context())
	require.Error(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, wait(ctx, time.Hour, nil), context.Canceled)
	require.ErrorContains(t, s.Close(), "killed")
}
