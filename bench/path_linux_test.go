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

func TestHeldConnections(t *testing.T) {
	const n = 300
	site, err := openSite(Embedded(0), t.TempDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, site.Close()) }()
	for range 2 {
		h, err := site.hold(t.Context(), n, 100*time.Millisecond)
		require.NoError(t, err)
		require.Zero(t, h.Faults)
		require.Positive(t, h.Beside.P50)
		require.Positive(t, h.Alone.P50)
		require.InDelta(t, 1, h.Goroutines, 0.5)
	}
}

func TestStarting(t *testing.T) {
	took, err := Starting(t.Context())
	require.NoError(t, err)
	require.Positive(t, took)
	require.Less(t, took, Patience)
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

	s, err := openSite(Embedded(0), t.TempDir())
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	o, err := s.overload(t.Context(), 100*time.Millisecond)
	require.NoError(t, err)
	require.Zero(t, o.Faults)
	require.Positive(t, o.Peak)
	require.Greater(t, o.Offered, o.Peak)
	require.Positive(t, o.Before)
	require.Positive(t, o.After)
}

func TestLatency(t *testing.T) {
	short := 50 * time.Millisecond
	before := *window
	*window = short
	defer func() { *window = before }()
	testing.Benchmark(func(b *testing.B) {
		ReportLatency(b, []float64{200, 400}, Mem())
		require.False(t, b.Failed())
	})
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
