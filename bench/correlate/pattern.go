package correlate

import (
	"math/rand/v2"
	"testing"
	"time"
)

// timeout is that of all transactions that must not expire.
const timeout = time.Hour

// height is how many others are held.
type height struct {
	held int
	name string
}

// heights are those of a measurement, and with -short those that show that it runs.
func heights() []height {
	if testing.Short() {
		return []height{{0, "0"}, {1000, "1k"}}
	}
	return []height{{0, "0"}, {100_000, "100k"}, {1_000_000, "1M"}}
}

// highest is the last of them.
func highest() height {
	all := heights()
	return all[len(all)-1]
}

// Patterns measures one begin and one end as now, fifo, random and parallel, with 0, 100 000 and
// 1 000 000 others held; now/held=0 is the name of one. fifo and random are not without others.
func Patterns[K any](b *testing.B, open Open[K]) {
	for _, h := range heights() {
		patterns(b, open, h)
	}
}

func patterns[K any](b *testing.B, open Open[K], h height) {
	var c *crowd[K] // made by the first that needs it: a filter may leave none
	defer func() {
		if c != nil {
			c.core.Close()
		}
	}()
	run := func(pattern string, measure func(b *testing.B)) {
		b.Run(pattern+"/held="+h.name, func(b *testing.B) {
			if c == nil {
				c = newCrowd(open(b), h.held)
			}
			b.ReportAllocs()
			b.ResetTimer()
			cpu := processTime(b)
			measure(b)
			b.StopTimer()
			b.ReportMetric(float64(processTime(b)-cpu)/float64(b.N), "cpu-ns/op")
			if c.held.tally.left.Load() != 0 {
				b.Fatal(errExpired)
			}
		})
	}
	run("now", func(b *testing.B) { fatal(b, c.now(b.N)) })
	if h.held > 0 {
		run("fifo", func(b *testing.B) { fatal(b, c.fifo(b.N)) })
		run("random", func(b *testing.B) { fatal(b, c.random(b.N)) })
	}
	run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := c.now(1); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func fatal(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}

// crowd is a core and the keys of those that it holds.
type crowd[K any] struct {
	core   Core[K]
	held   *Held // of all: none of them expires
	keys   []K
	oldest int
	rand   *rand.PCG
}

func newCrowd[K any](core Core[K], held int) *crowd[K] {
	c := &crowd[K]{core: core, held: &Held{tally: newTally(0)}, keys: make([]K, held), rand: rand.NewPCG(1, 2)}
	for i := range c.keys {
		c.keys[i] = core.Begin(c.held, timeout)
	}
	return c
}

func (c *crowd[K]) now(n int) error {
	for range n {
		if !c.core.End(c.core.Begin(c.held, timeout)) {
			return errNotHeld
		}
	}
	return nil
}

func (c *crowd[K]) fifo(n int) error {
	for range n {
		key := &c.keys[c.oldest]
		if c.oldest++; c.oldest == len(c.keys) {
			c.oldest = 0
		}
		if !c.core.End(*key) {
			return errNotHeld
		}
		*key = c.core.Begin(c.held, timeout)
	}
	return nil
}

func (c *crowd[K]) random(n int) error {
	for range n {
		key := &c.keys[(c.rand.Uint64()>>32)*uint64(len(c.keys))>>32]
		if !c.core.End(*key) {
			return errNotHeld
		}
		*key = c.core.Begin(c.held, timeout)
	}
	return nil
}
