package http_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// begun is a copy of what the server handed to the engine.
type begun struct {
	ID         core.ID
	Node       *core.Node
	Value      string
	Timeout    time.Duration
	Properties map[string]string
	Meta       any
	Key        *core.Key
	done       core.Completer
}

// fakeEngine answers as its script says, or holds.
type fakeEngine struct {
	// script ends a transaction within Begin; false holds it. nil holds all. A zero ID in the
	// result is filled in.
	script func(*begun) (core.Result, bool)
	begun  chan *begun // what was held, in order

	mu        sync.Mutex
	total     int
	cancelled int
	held      map[core.ID]core.Completer
}

func newFakeEngine(script func(*begun) (core.Result, bool)) *fakeEngine {
	return &fakeEngine{script: script, begun: make(chan *begun, 1024), held: make(map[core.ID]core.Completer)}
}

func (e *fakeEngine) Begin(call *core.Call, done core.Completer) core.ID {
	b := &begun{Node: call.Node, Value: string(call.Value), Timeout: call.Timeout, Properties: map[string]string{}, Meta: call.Meta, Key: call.Key, done: done}
	for _, p := range call.Properties {
		b.Properties[p.Name] = strings.Clone(p.Value)
	}
	e.mu.Lock()
	e.total++
	b.ID = core.ID{0: byte(e.total >> 8), 1: byte(e.total), 15: 1}
	e.mu.Unlock()
	if e.script != nil {
		if r, now := e.script(b); now {
			r.ID = b.ID
			done.Complete(r)
			return b.ID
		}
	}
	e.mu.Lock()
	e.held[b.ID] = done
	e.mu.Unlock()
	e.begun <- b
	return b.ID
}

// Crowded: it never has room for what its script sheds.
func (e *fakeEngine) Crowded() bool { return true }

func (e *fakeEngine) Cancel(id core.ID) bool {
	ended := e.end(id, core.Result{Outcome: core.Cancelled, Message: "the requester is gone"})
	if ended {
		e.mu.Lock()
		e.cancelled++
		e.mu.Unlock()
	}
	return ended
}

func (e *fakeEngine) end(id core.ID, r core.Result) bool {
	e.mu.Lock()
	done, ok := e.held[id]
	delete(e.held, id)
	e.mu.Unlock()
	if ok {
		r.ID = id
		done.Complete(r)
	}
	return ok
}

func (e *fakeEngine) counts() (total, held, cancelled int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.total, len(e.held), e.cancelled
}

// next is the next transaction that was held.
func (e *fakeEngine) next(t testing.TB) *begun {
	t.Helper()
	select {
	case b := <-e.begun:
		return b
	case <-time.After(patience):
		t.Fatal("nothing was begun")
		return nil
	}
}

func answered(value string) core.Result {
	return core.Result{Outcome: core.Answered, Value: []byte(value), Sent: true}
}

// echo answers at once with the request's value.
func echo(b *begun) (core.Result, bool) { return answered(b.Value), true }
