package compare

import (
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/bench/correlate"
	"github.com/flowsync-go/flowsync/core"
)

// slots is the project's engine through its public API, to check what package core says of itself
// in the same process as the alternatives. It does all that they leave out: limits, a node with its
// counters, a bus that marks requests as sent, the clock, and ends that are remembered.
type slots struct {
	engine *core.Engine
	node   *core.Node
}

func openSlots(tb testing.TB) correlate.Core[core.ID] {
	engine, err := core.New(&sentBus{}, core.Options{MaxInFlight: 2_000_000})
	if err != nil {
		tb.Fatal(err)
	}
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Timeout: time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	return &slots{engine, node}
}

// sentBus marks requests as sent and forgets them.
type sentBus struct{ sink core.Sink }

func (b *sentBus) Bind(s core.Sink) { b.sink = s }

func (b *sentBus) Publish(r *core.Request) error {
	b.sink.Sent(r.ID)
	return nil
}

// slotsHeld is told how a transaction ends.
type slotsHeld struct{ *correlate.Held }

func (h slotsHeld) Complete(r core.Result) {
	if r.Outcome == core.Timeout || r.Outcome == core.NotPublished { // the latter if it is very short
		h.Expired()
	}
}

func (s *slots) Begin(h *correlate.Held, timeout time.Duration) core.ID {
	return s.engine.Begin(&core.Call{Node: s.node, Timeout: timeout}, slotsHeld{h})
}

func (s *slots) End(id core.ID) bool {
	a := newAnswer(id)
	defer a.release()
	return s.engine.Resolve(core.Answer{Node: s.node, Payload: a.payload})
}

func (s *slots) Close() { s.engine.Close() }

func BenchmarkBeginResolveSlots(b *testing.B) { correlate.Patterns(b, openSlots) }
func BenchmarkExpireSlots(b *testing.B)       { correlate.Expire(b, openSlots) }
func BenchmarkHeldMemorySlots(b *testing.B)   { correlate.Memory(b, openSlots) }
