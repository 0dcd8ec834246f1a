package correlate

import (
	"flag"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// BenchmarkHarness is what the harness costs by itself: subtract it, or know that it is small.
func BenchmarkHarness(b *testing.B) {
	Patterns(b, func(testing.TB) Core[[2]uint64] { return hollow{} })
}

// hollow is a core that holds nothing.
type hollow struct{}

func (hollow) Begin(*Held, time.Duration) [2]uint64 { return [2]uint64{} }
func (hollow) End([2]uint64) bool                   { return true }
func (hollow) Close()                               {}

// simple is a core that works, but for what its faults say.
type simple struct {
	faults
	mu   sync.Mutex
	last int
	held map[int]*time.Timer
}

type faults struct {
	forgets   bool          // End finds nothing
	hastens   time.Duration // deadlines come by that much too early
	mute      bool          // deadlines do not come
	repeats   bool          // deadlines come twice
	thinks    time.Duration // Begin takes that long
	tires     bool          // and each core that is opened ten times as long as the one before
	remembers int           // bytes more than needed, for each
	kept      [][]byte
}

func openSimple(f faults) Open[int] {
	return func(testing.TB) Core[int] {
		s := &simple{faults: f, held: map[int]*time.Timer{}}
		if f.tires {
			f.thinks *= 10
		}
		return s
	}
}

func (s *simple) Begin(h *Held, timeout time.Duration) int {
	<-time.After(s.thinks)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	key := s.last
	if s.remembers > 0 {
		s.kept = append(s.kept, make([]byte, s.remembers))
	}
	s.held[key] = time.AfterFunc(timeout-s.hastens, func() {
		if !s.End(key) || s.mute {
			return
		}
		h.Expired()
		if s.repeats {
			h.Expired()
		}
	})
	return key
}

func (s *simple) End(key int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	timer, ok := s.held[key]
	if ok {
		timer.Stop()
		delete(s.held, key)
	}
	return ok != s.forgets
}

func (s *simple) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, timer := range s.held {
		timer.Stop()
	}
	clear(s.held)
}

func TestPatternsHoldAsManyAsTheySay(t *testing.T) {
	const others = 100
	for name, run := range map[string]func(c *crowd[int], n int) error{
		"now": (*crowd[int]).now, "fifo": (*crowd[int]).fifo, "random": (*crowd[int]).random,
	} {
		t.Run(name, func(t *testing.T) {
			s := openSimple(faults{})(t).(*simple)
			defer s.Close()
			c := newCrowd[int](s, others)
			require.Len(t, s.held, others)
			require.NoError(t, run(c, 10*others))
			require.Len(t, s.held, others)
			require.Equal(t, 11*others, s.last, "one begins for each that ends")
			for _, key := range c.keys {
				require.Contains(t, s.held, key)
			}

			s.forgets = true
			require.ErrorIs(t, run(c, 1), errNotHeld)
		})
	}
}

func TestFifoEndsTheOldest(t *testing.T) {
	s := openSimple(faults{})(t).(*simple)
	defer s.Close()
	c := newCrowd[int](s, 3)
	for oldest := 1; oldest < 10; oldest++ {
		require.Contains(t, s.held, oldest)
		require.NoError(t, c.fifo(1))
		require.NotContains(t, s.held, oldest)
	}
}

// Not all at the same place, and none left out.
func TestRandomEndsAnyOne(t *testing.T) {
	const others = 50
	s := openSimple(faults{})(t).(*simple)
	defer s.Close()
	c := newCrowd[int](s, others)
	require.NoError(t, c.random(20*others))
	for first := 1; first <= others; first++ {
		require.NotContains(t, s.held, first, "after 20 rounds by one in 10^8 chance")
	}
}

func TestExpireSeesHowLate(t *testing.T) {
	for name, c := range map[string]struct {
		faults
		over  time.Duration
		early int
		p50   time.Duration
	}{
		"together":        {},
		"over a second":   {over: time.Second},
		"too early":       {faults: faults{hastens: 3 * time.Millisecond}, early: 10, p50: -3 * time.Millisecond},
		"too late":        {faults: faults{hastens: -2 * time.Millisecond}, p50: 2 * time.Millisecond},
		"slow to begin":   {faults: faults{thinks: time.Millisecond}},
		"slower to begin": {faults: faults{thinks: 4 * time.Millisecond}, over: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.thinks /= 2 // twice in all
				l, err := measureExpiry(t, openSimple(c.faults), 10*sampled, c.over)
				require.NoError(t, err)
				require.Equal(t, c.early, l.early)
				require.Len(t, l.sorted, 10)
				require.InDelta(t, c.p50, l.sorted[5], float64(c.thinks))
			})
		})
	}
}

func TestExpireCatchesABrokenCore(t *testing.T) {
	for name, c := range map[string]struct {
		faults
		want string
	}{
		"deadlines do not come":   {faults{mute: true}, "of 16 deadlines 16 did not come"},
		"deadlines come twice":    {faults{repeats: true}, "of 16 deadlines -16 did not come"},
		"it cannot begin in time": {faults{thinks: time.Minute, tires: true}, "16 transactions could not be begun before the first deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := measureExpiry(t, openSimple(c.faults), 16, 0)
				require.ErrorContains(t, err, c.want)
			})
		})
	}
}

func TestMemoryCountsWhatIsHeld(t *testing.T) {
	const held = 10_000
	lean := measureMemory(t, openSimple(faults{}), held)
	fat := measureMemory(t, openSimple(faults{remembers: 1024}), held)
	require.Positive(t, lean.cycle)
	require.Greater(t, lean.bytes, 50.0, "a timer and an entry of a map")
	require.InDelta(t, 1024, fat.bytes-lean.bytes, 100)
}

// benchmark runs a benchmark for a few iterations, and says whether it failed.
func benchmark(t *testing.T, run func(b *testing.B)) (failed bool) {
	benchtime := flag.Lookup("test.benchtime")
	before := benchtime.Value.String()
	require.NoError(t, benchtime.Value.Set("20x"))
	defer func() { require.NoError(t, benchtime.Value.Set(before)) }()
	testing.Benchmark(func(b *testing.B) {
		run(b)
		failed = b.Failed()
	})
	return failed
}

var few = height{sampled, "16"}

func TestBenchmarksFailWithABrokenCore(t *testing.T) {
	for name, c := range map[string]struct {
		run    func(b *testing.B, open Open[int])
		broken faults
	}{
		"patterns": {
			func(b *testing.B, open Open[int]) { patterns(b, open, few) }, faults{forgets: true},
		},
		"patterns, expiry": {
			func(b *testing.B, open Open[int]) { patterns(b, open, few) }, faults{hastens: timeout},
		},
		"expire": {
			func(b *testing.B, open Open[int]) { expire(b, open, few, "tick", 0) }, faults{repeats: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.False(t, benchmark(t, func(b *testing.B) { c.run(b, openSimple(faults{})) }))
			require.True(t, benchmark(t, func(b *testing.B) { c.run(b, openSimple(c.broken)) }))
		})
	}
}

// What is held is built once, by the first that needs it, and closed.
func TestOneCoreForAllPatterns(t *testing.T) {
	var opened []*simple
	require.False(t, benchmark(t, func(b *testing.B) {
		patterns(b, func(tb testing.TB) Core[int] {
			s := openSimple(faults{})(tb).(*simple)
			opened = append(opened, s)
			return s
		}, few)
	}))
	require.Len(t, opened, 1)
	require.Empty(t, opened[0].held)
	require.Equal(t, few.held+4*(1+20), opened[0].last, "each pattern is called with 1 iteration, then with 20")
}

func TestMemoryBenchmark(t *testing.T) {
	require.False(t, benchmark(t, func(b *testing.B) { memory(b, openSimple(faults{}), few) }))
}
