package bench

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func brief(name, security string, request Request) OPCUA {
	return OPCUA{
		Name: name, Server: FlowsyncName, Security: security, Request: request,
		InFlight: 16, Payload: 20, WarmUp: 20 * time.Millisecond, Window: 100 * time.Millisecond,
	}
}

// Servers in processes of their own answer everything.
func TestCampaign(t *testing.T) {
	c, err := NewCampaign(
		brief("Call", "None", Call), brief("Write", "None", Write),
		brief("Encrypted", "Basic256Sha256", Call),
	)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	figures, err := c.Run(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, figures, 3)
	for _, rounds := range figures {
		require.Len(t, rounds, 2)
		for _, f := range rounds {
			require.Zero(t, f.Faults)
			require.Positive(t, f.Answers)
			require.GreaterOrEqual(t, f.Window, 100*time.Millisecond)
			require.Positive(t, f.CPUEach())
			require.Less(t, f.CPUEach(), 100*time.Millisecond)
			require.Positive(t, f.Rate())
			require.LessOrEqual(t, f.P50, f.P99)
			require.LessOrEqual(t, f.P99, f.Max)
			require.Contains(t, f.String(), "lost 0, wrong 0")
		}
	}
	folder := t.TempDir()
	require.NoError(t, c.Profile(t.Context(), folder))
	for _, name := range []string{"Call.cpu", "Call.allocs", "Encrypted.cpu"} {
		info, err := os.Stat(filepath.Join(folder, name))
		require.NoError(t, err)
		require.Positive(t, info.Size())
	}
}

func TestHold(t *testing.T) {
	const n = 500
	c, err := NewCampaign(brief("Call", "None", Call))
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	h, err := c.Hold(t.Context(), 0, n, 20)
	require.NoError(t, err)
	require.Zero(t, h.Faults)
	require.Equal(t, h.Before, h.Goroutines)
	require.Greater(t, h.Bytes, 64.0) // there is more than a slot of the engine to it
	require.Less(t, h.Bytes, 16e3)
	require.Positive(t, h.Reads.P50)
	require.LessOrEqual(t, h.Reads.P99, h.Reads.Max)
}

func TestProcessThatDoesNotStart(t *testing.T) {
	_, err := StartProcess(Config{Server: "nobody's", Security: "None"})
	require.ErrorContains(t, err, `there is no server "nobody's"`)
	_, err = NewCampaign(brief("Call", "Basic128", Call))
	require.ErrorContains(t, err, `"Basic128"`)
}

// What the process of a server does, seen from inside.
func TestChild(t *testing.T) {
	commands, tell := io.Pipe()
	say, states := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- serveChild(Servers{FlowsyncName: WithBackend(Flowsync)}, `{"Server":"flowsync","Security":"None"}`, commands, states)
		_ = states.Close()
	}()
	in := bufio.NewScanner(say)
	next := func() (s state) {
		require.True(t, in.Scan())
		require.NoError(t, json.Unmarshal(in.Bytes(), &s))
		return s
	}
	require.Contains(t, next().Address, "opc.tcp://127.0.0.1:")
	file := filepath.Join(t.TempDir(), "profile")
	for _, c := range []command{
		{Do: "cpu"}, {Do: "memory"}, {Do: "hold"}, {Do: "held"}, {Do: "release"},
		{Do: "profile", File: file}, {Do: "profiled", File: file},
	} {
		require.NoError(t, json.NewEncoder(tell).Encode(c))
		s := next()
		require.Empty(t, s.Error, c.Do)
		require.Positive(t, s.CPU)
		require.Equal(t, c.Do == "memory", s.Heap > 0)
	}
	require.NoError(t, json.NewEncoder(tell).Encode(command{Do: "dance"}))
	require.Contains(t, next().Error, `"dance"`)
	require.NoError(t, tell.Close())
	require.NoError(t, <-ended)

	require.Error(t, serveChild(nil, "no JSON", nil, io.Discard))
	require.Error(t, serveChild(Servers{FlowsyncName: WithBackend(Flowsync)}, `{"Server":"flowsync","Security":"Basic128"}`, nil, io.Discard))
}

func TestStatistics(t *testing.T) {
	times := make([]time.Duration, 200)
	for i := range times {
		times[i] = time.Duration(200 - i)
	}
	require.Equal(t, Times{P50: 100, P90: 180, P99: 198, P999: 200, Max: 200}, timesOf(times))
	require.Equal(t, Times{1, 1, 1, 1, 1}, timesOf(times[:1]))
	require.Zero(t, timesOf(nil))

	require.Equal(t, 2.0, median([]float64{9, 1, 2}))
	require.Equal(t, 1.5, median([]float64{2, 1}))
	one := []Figures{{Answers: 1, CPU: 10}, {Answers: 2, CPU: 80}, {Answers: 1, CPU: 30}}
	other := []Figures{{Answers: 1, CPU: 100}, {Answers: 1, CPU: 100}, {Answers: 1, CPU: 200}}
	middle, least, most2 := ratio(one, other, CPU)
	require.InDeltaSlice(t, []float64{0.3, 0.1, 0.4}, []float64{middle, least, most2}, 1e-9)
}

// What is reported is the median, and no figure stands beside an answer that was lost.
func TestReport(t *testing.T) {
	round := func(cpu, p50 time.Duration) Figures {
		return Figures{Answers: 1000, Window: time.Second, CPU: 1000 * cpu, Times: Times{P50: p50, P90: p50, P99: 2 * p50, P999: 2 * p50, Max: 3 * p50}}
	}
	us := time.Microsecond
	r := testing.Benchmark(func(b *testing.B) {
		report(b, []Figures{round(9*us, 100*us), round(7*us, 300*us), round(20*us, 200*us)})
	})
	require.Equal(t, map[string]float64{
		"cpu-µs/request": 9, "cpu-µs-min": 7, "cpu-µs-max": 20, "requests/s": 1000,
		"p50-ms": 0.2, "p90-ms": 0.2, "p99-ms": 0.4, "p99.9-ms": 0.4, "max-ms": 0.9,
		"lost": 0, "wrong": 0, "duplicate": 0, "ns/op": 0,
	}, r.Extra)

	failed := true
	testing.Benchmark(func(b *testing.B) {
		Faults{Wrong: 1}.report(b)
		failed = b.Failed()
	})
	require.True(t, failed)
}

func TestBenchmarks(t *testing.T) {
	testing.Benchmark(func(b *testing.B) {
		call, write := brief("Call", "None", Call), brief("Write", "None", Write)
		Compare(b, Against("Write", call, write), call, write)
		require.False(t, b.Failed())
	})
	testing.Benchmark(func(b *testing.B) {
		ReportHeld(b, brief("Call", "None", Call), 100)
		require.False(t, b.Failed())
	})
}
