package core

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// discard is a bus that marks requests as sent and forgets them.
type discard struct{ sink Sink }

func (b *discard) Bind(s Sink) { b.sink = s }
func (b *discard) Publish(r *Request) error {
	b.sink.Sent(r.ID)
	return nil
}

type ignore struct{}

func (ignore) Complete(Result) {}

// BenchmarkBeginResolve is one transaction, answered at once, while others are held.
func BenchmarkBeginResolve(b *testing.B) {
	for _, others := range []int{0, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("now/held=%d", others), func(b *testing.B) {
			e, err := New(&discard{}, Options{MaxInFlight: 2_000_000})
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			node, err := e.AddNode(NodeOptions{Name: "n", Topic: "n", Timeout: time.Hour})
			if err != nil {
				b.Fatal(err)
			}
			call := &Call{Node: node, Value: []byte("1")}
			for range others {
				e.Begin(call, ignore{})
			}
			var payload []byte
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				id := e.Begin(call, ignore{})
				payload = append(payload[:0], `{"id":"`...)
				payload = id.Append(payload)
				payload = append(payload, `","value":1}`...)
				if !e.Resolve(Answer{Node: node, Payload: payload}) {
					b.Fatal("not resolved")
				}
			}
		})
	}
}

// BenchmarkTable is the same without message, codec and bus: what table, wheel and ids cost.
func BenchmarkTable(b *testing.B) {
	for _, others := range []int{0, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("now/held=%d", others), func(b *testing.B) {
			sh, node := newTestShard()
			for range others {
				sh.begin(node, ignore{}, 0, 0, int64(time.Hour))
			}
			var h held
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				id, _ := sh.begin(node, ignore{}, 0, 1, int64(2*time.Second))
				if kind, _ := sh.answer(id, node, Answered, 2, &h); kind != Matched {
					b.Fatal(kind)
				}
			}
		})
	}
}

func BenchmarkLock(b *testing.B) {
	var mu sync.Mutex
	for range b.N {
		mu.Lock()
		mu.Unlock() //nolint:staticcheck // SA2001: the pair is what is measured
	}
}
