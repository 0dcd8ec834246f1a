package load

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, // the Date header's clock, with the first reply of a process
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// fake is a target whose answers are a function. It is used with invented time.
type fake struct {
	answer func(seq uint64, deadline time.Time) Verdict
	probe  error
	refuse error
	fewer  int // lanes than asked for

	mu     sync.Mutex // guards all below
	asked  []time.Time
	closed int
}

func (f *fake) Open(_ context.Context, lanes int) ([]Lane, error) {
	if f.refuse != nil {
		return nil, f.refuse
	}
	opened := make([]Lane, lanes-f.fewer)
	for i := range opened {
		opened[i] = &fakeLane{fake: f, stop: make(chan struct{})}
	}
	return opened, nil
}

func (f *fake) String() string { return "fake" }

func (f *fake) Probe(context.Context, time.Duration) error { return f.probe }

type fakeLane struct {
	*fake
	stop chan struct{}
	once sync.Once
}

func (l *fakeLane) Ask(seq uint64, deadline time.Time) Verdict {
	l.mu.Lock()
	l.asked = append(l.asked, time.Now())
	l.mu.Unlock()
	if l.answer == nil {
		return Verdict{Outcome: Answered}
	}
	v := l.answer(seq, deadline)
	if v.Outcome != hang {
		return v
	}
	select {
	case <-l.stop:
	case <-time.After(time.Until(deadline)):
	}
	return Verdict{Outcome: Lost}
}

// hang waits for the deadline, or for the lane to be closed.
const hang = "hang"

func (l *fakeLane) Close() error {
	l.once.Do(func() {
		close(l.stop)
		l.mu.Lock()
		l.closed++
		l.mu.Unlock()
	})
	return nil
}

func (l *fakeLane) Reconnects() int { return 1 }

// workload is one with invented time.
func workload(target Target, rate float64, lanes int, duration time.Duration) Workload {
	return Workload{Target: target, Rate: rate, Lanes: lanes, Duration: duration, pause: pass}
}

// pass lets invented time pass.
func pass(d time.Duration) { <-time.After(d) }
