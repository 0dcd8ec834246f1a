package core

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// busy keeps the driver for a while, as a machine does that has no processor left for it.
type busy time.Duration

func (b busy) Complete(Result) { time.Sleep(time.Duration(b)) }

// overload is an engine whose driver has much to do after 10 ms, and is then busy for 200 ms.
type overload struct {
	t      *testing.T
	engine *Engine
	node   *Node
	start  time.Time
}

func withOverload(t *testing.T, maxLate time.Duration, play func(*overload)) {
	synctest.Test(t, func(t *testing.T) {
		e, node, _ := newTestEngine(t, Options{MaxLate: maxLate, Shards: 1})
		o := &overload{t, e, node, time.Now()}
		o.load(advanceBudget + 1) // it takes out so many at a time, the last one first, and one is left
		play(o)
		time.Sleep(time.Second) // the driver ends all that it has taken out
		synctest.Wait()
		requireAddsUp(t, e)
		require.NoError(t, e.Close())
	})
}

// load begins n transactions that expire after 10 ms; the driver is busy with the first of them.
func (o *overload) load(n int) {
	for range n - 1 {
		o.engine.Begin(&Call{Node: o.node, Timeout: 10 * time.Millisecond}, ignore{})
	}
	o.engine.Begin(&Call{Node: o.node, Timeout: 10 * time.Millisecond}, busy(200*time.Millisecond))
}

// at begins a transaction so many ms after the start and checks how that ends.
func (o *overload) at(ms int, want Outcome) {
	o.t.Helper()
	time.Sleep(time.Until(o.start.Add(time.Duration(ms) * time.Millisecond)))
	synctest.Wait()
	c := &completions{}
	id := o.engine.Begin(&Call{Node: o.node, Timeout: time.Second}, c)
	if want != 0 {
		require.Equal(o.t, Result{Outcome: want, Message: whyTooLate}, *c.last.Load(), "after %d ms", ms)
		require.True(o.t, c.last.Load().RetrySafe())
		return
	}
	require.False(o.t, id.IsZero(), "after %d ms", ms)
	require.Zero(o.t, c.n.Load())
	o.engine.Cancel(id)
}

// TestOverloadSheds: new transactions are shed while the driver is late, and not before it has
// been for some time.
func TestOverloadSheds(t *testing.T) {
	withOverload(t, 0, func(o *overload) {
		o.at(9, 0)
		require.Zero(t, o.engine.Late())
		o.at(60, 0)
		require.Equal(t, 50*time.Millisecond, o.engine.Late())
		o.at(61, 0) // seen
		o.at(111, 0)
		o.at(112, Shed)
		require.Equal(t, 102*time.Millisecond, o.engine.Late())
		require.True(t, o.engine.Crowded())
		o.at(209, Shed)
		o.at(211, 0)
		require.Zero(t, o.engine.Late())
		require.False(t, o.engine.Crowded())
		require.EqualValues(t, 2, o.engine.Stats(o.node).Ended[Shed])
	})
}

// TestPauseIsNoOverload: requesters that come back from a pause together with the driver see it
// late once, and it has made up for the time when they look again; so they do after a second one.
func TestPauseIsNoOverload(t *testing.T) {
	withOverload(t, 0, func(o *overload) {
		for _, start := range []time.Duration{0, time.Second} {
			o.start = o.start.Add(start)
			if start > 0 {
				time.Sleep(time.Until(o.start))
				o.load(advanceBudget + 1)
			}
			o.at(170, 0)
			o.at(209, 0)
			o.at(211, 0)
			o.at(300, 0)
		}
	})
}

// TestLateForNothing: when the driver owes nothing but a look at what has ended, or at what ends
// later, nobody waits for it, and nothing is shed.
func TestLateForNothing(t *testing.T) {
	withOverload(t, 0, func(o *overload) {
		time.Sleep(time.Second)
		o.start = time.Now()
		o.load(1)
		for range 2 * advanceBudget { // a bucket that has to be opened, too
			o.engine.Begin(&Call{Node: o.node, Timeout: 300 * time.Millisecond}, ignore{})
		}
		for ms := 61; ms < 209; ms++ {
			o.at(ms, 0)
			require.Zero(t, o.engine.Late())
		}
	})
}

func TestMaxLate(t *testing.T) {
	withOverload(t, -1, func(o *overload) {
		o.at(61, 0)
		o.at(209, 0)
	})
	withOverload(t, 5*time.Millisecond, func(o *overload) {
		o.at(16, 0)
		o.at(21, 0)
		o.at(22, Shed)
	})
}

// TestOverdueIsFoundAgain: in whatever shard something is overdue, it is found, and first of all next
// time; when it has ended, nothing is.
func TestOverdueIsFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, node, _ := newTestEngine(t, Options{Shards: 8})
		synctest.Wait() // the driver has looked at all shards
		for i := range e.shards {
			now := e.clock.now()
			e.held.Add(1)
			k, _ := e.shards[i].begin(node, ignore{}, 0, now, now+1, 0) // the driver does not know
			time.Sleep(e.options.MaxLate)
			require.False(t, e.overdue(e.clock.now()))
			time.Sleep(2 * time.Millisecond)
			for range 2 {
				require.True(t, e.overdue(e.clock.now()))
				require.EqualValues(t, i, e.driver.lateIn.Load())
			}
			require.True(t, e.Cancel(k.id()))
			require.False(t, e.overdue(e.clock.now()))
		}
		require.NoError(t, e.Close())
	})
}

// TestTooLate: what a driver owes while it sleeps and while it works, on invented time.
func TestTooLate(t *testing.T) {
	const ms = int64(time.Millisecond)
	for _, c := range []struct {
		name            string
		wakeAt, overdue int64
		since           int64
		now             int64
		want            bool
		noted           int64
	}{
		{"nothing is held", never, never, 0, 1000 * ms, false, 0},
		{"it sleeps until later", 1100 * ms, never, 0, 1000 * ms, false, 0},
		{"it should be awake, and just may be not", 950 * ms, never, 0, 1000 * ms, false, 0},
		{"it should be awake", 949 * ms, never, 0, 1000 * ms, false, 1000 * ms},
		{"it still should", 900 * ms, never, 950 * ms, 1000 * ms, false, 950 * ms},
		{"it has caught up with the note, and is late again", 949 * ms, never, 900 * ms, 1000 * ms, false, 1000 * ms},
		{"it does what was due at the time of the note", 900 * ms, never, 900 * ms, 1000 * ms, true, 900 * ms},
		{"it should for too long", 900 * ms, never, 949 * ms, 1000 * ms, true, 949 * ms},
		{"it works on what is overdue", never, 900 * ms, 949 * ms, 1000 * ms, true, 949 * ms},
		{"it works on it, and more is due", 960 * ms, 900 * ms, 949 * ms, 1000 * ms, true, 949 * ms},
		{"it is working its way up", never, 950 * ms, 800 * ms, 1000 * ms, false, 800 * ms},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDriver(50 * time.Millisecond)
			d.wakeAt.Store(c.wakeAt)
			d.overdue.Store(c.overdue)
			d.lateSince.Store(c.since)
			require.Equal(t, c.want, d.tooLate(c.now))
			require.Equal(t, c.noted, d.lateSince.Load())
		})
	}
}

// TestCrowded: an engine is crowded while hardly more can be held, whatever its nodes are.
func TestCrowded(t *testing.T) {
	for name, c := range map[string]struct {
		options Options
		node    NodeOptions
		crowded bool
	}{
		"number":    {options: Options{MaxInFlight: 8}, crowded: true},
		"bytes":     {options: Options{MaxHeldBytes: 8}, crowded: true},
		"room":      {options: Options{MaxInFlight: 16, MaxHeldBytes: 16}},
		"full node": {node: NodeOptions{MaxInFlight: 8}},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := New(&discard{}, c.options)
			require.NoError(t, err)
			defer e.Close()
			c.node.Name, c.node.Topic = "n", "n"
			node, err := e.AddNode(c.node)
			require.NoError(t, err)
			for range 7 {
				e.Begin(&Call{Node: node, Value: []byte("1")}, ignore{})
			}
			require.False(t, e.Crowded())
			id := e.Begin(&Call{Node: node, Value: []byte("1")}, ignore{})
			require.Equal(t, c.crowded, e.Crowded())
			e.Cancel(id)
			require.False(t, e.Crowded())
		})
	}
}
