package core

import "sync"

// Waiter is a [Completer] for callers that want to wait. Take one from a [WaiterPool], give it
// to Begin, receive from Done, read Result, and Release it.
type Waiter struct {
	pool   *WaiterPool
	done   chan struct{}
	result Result
	buf    []byte
}

// WaiterPool keeps waiters, with their buffers, for reuse. The zero value is ready. Whoever
// waits owns one; it must not be copied.
type WaiterPool struct{ pool sync.Pool }

// maxPooledValue keeps single large answers from staying in the pool.
const maxPooledValue = 64 << 10

// Acquire takes a waiter from the pool.
func (p *WaiterPool) Acquire() *Waiter {
	if w, ok := p.pool.Get().(*Waiter); ok {
		return w
	}
	return &Waiter{pool: p, done: make(chan struct{}, 1)}
}

// Complete implements [Completer]. It copies the value.
func (w *Waiter) Complete(r Result) {
	if r.Value != nil {
		w.buf = append(w.buf[:0], r.Value...)
		r.Value = w.buf
	}
	w.result = r
	w.done <- struct{}{}
}

// Done delivers one value when the transaction has ended. Only one goroutine may receive.
func (w *Waiter) Done() <-chan struct{} { return w.done }

// Result is how the transaction ended; valid after a receive from Done, until Release.
func (w *Waiter) Result() *Result { return &w.result }

// Release gives the waiter back. It must not be called before Done has delivered.
func (w *Waiter) Release() {
	if cap(w.buf) > maxPooledValue {
		w.buf = nil
	}
	w.result = Result{}
	w.pool.pool.Put(w)
}
