package idempotency

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// slowDisk commits on a goroutine of its own, as a journal does.
type slowDisk struct {
	*disk
	steps chan func()
}

func newSlowDisk(t *testing.T) *slowDisk {
	d := &slowDisk{newDisk(), make(chan func(), 1<<16)}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for step := range d.steps {
			step()
		}
	}()
	t.Cleanup(func() { close(d.steps); <-stopped })
	return d
}

func (d *slowDisk) Put(r *Record, done func(error)) { d.steps <- func() { d.disk.Put(r, done) } }

func (d *slowDisk) Delete(node, user, key string) {
	d.steps <- func() { d.disk.Delete(node, user, key) }
}

// TestManyAtOnce: requesters, responders and those who leave, all at the same time: each request
// ends once, and no key is published twice, since none that has left becomes free.
func TestManyAtOnce(t *testing.T) {
	const requesters, each, keys = 16, 300, 60
	d := newSlowDisk(t)
	requests := make(chan *core.Request, requesters*each)
	w := &responding{wire: &wire{}, requests: requests}
	r := newRig(t, setup{Options: Options{Store: d}, wire: w.wire, bus: w, node: core.NodeOptions{Timeout: 20 * time.Millisecond}})

	var responders, all sync.WaitGroup
	for i := range 4 {
		random := rand.New(rand.NewPCG(uint64(i), 1))
		responders.Go(func() {
			for request := range requests {
				switch random.IntN(4) {
				case 0: // silence
				case 1:
					r.engine.Resolve(core.Answer{Node: request.Node, Payload: fmt.Appendf(nil, `{"id":%q,"error":{"code":5}}`, request.ID)})
				default:
					r.answerTo(request.ID, request.Node, string(request.Value))
				}
			}
		})
	}
	for i := range requesters {
		random := rand.New(rand.NewPCG(uint64(i), 2))
		all.Go(func() {
			for range each {
				key := fmt.Sprint(random.IntN(keys))
				a := r.ask(key, limit(time.Duration(1+random.IntN(20))*time.Millisecond))
				if random.IntN(4) == 0 {
					r.Cancel(a.id)
				}
				select {
				case end := <-a.ended:
					if end.Outcome == core.Answered && string(end.Value) != `"`+key+`"` {
						t.Errorf("key %s got %s", key, end.Value)
					}
				case <-time.After(20 * time.Second):
					t.Error("it does not end")
				}
			}
		})
	}
	all.Wait()
	close(requests)
	responders.Wait()
	left := map[string]int{}
	for _, request := range r.wire.requests() {
		left[string(request.Value)]++
	}
	for value, n := range left {
		require.Equal(t, 1, n, "%s left", value)
	}
	require.Zero(t, r.engine.Held())
	s := r.Stats(r.a)
	requireAddUp(t, s)
	require.Zero(t, s.Waiting)
	engine := r.engine.Stats(r.a)
	require.EqualValues(t, requesters*each, s.Begun+engine.Begun)
}

// responding is a wire that hands what left to responders.
type responding struct {
	*wire
	requests chan<- *core.Request
}

func (w *responding) Publish(r *core.Request) error {
	before := len(w.wire.requests())
	err := w.wire.Publish(r)
	if len(w.wire.requests()) > before { // only the scribe publishes
		w.requests <- r.Clone()
	}
	return err
}
