package http

import (
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// patience is how long a request is held before its requester is watched: twice as long at most.
// Most are answered before, and to watch costs a read that finds nothing and two deadlines.
const patience = 250 * time.Millisecond

// watch is how the goroutine of a connection waits for the end of its transaction, and how it
// notices that the requester leaves meanwhile.
//
//  1. It waits for a signal. The completer ends the wait by ended.
//  2. When the request has been held for a while, tick calls it: it goes on waiting in a read of
//     its own connection. What arrives is a pipelined request; an end or an error is a requester
//     who is gone. Now the completer interrupts the read first, and signals after that. await
//     never returns before the signal, so no late interrupt can hit the reading of the next
//     request.
//
// Who comes first is decided in word: a completer that finds no watching need not interrupt,
// because watching can no longer begin; a call after the end is none.
type watch struct {
	word    atomic.Uint32 // number of the request, then the flags
	signals chan signal   // room for one of each kind: nobody waits to send
	ticking atomic.Bool   // the timer is set, or tick runs
	seen    uint32        // tick's: word as it was last time
	timer   *time.Timer   // nil until the first request is held
}

type signal uint8

const (
	ended  signal = iota // by the completer: the transaction has ended
	called               // by tick or abort: watch the requester
)

// The flags in word.
const (
	wordEnded    = 1 << iota // the transaction has ended, or there is none
	wordCalled               // called has been or will be sent
	wordWatching             // the connection is being read
	wordNext
)

func (w *watch) init() {
	w.signals = make(chan signal, 2)
	w.word.Store(wordEnded)
}

// arm begins the wait of a new request, before its completer can be called.
func (c *conn) arm() {
	w := &c.watch
	w.word.Store((w.word.Load()/wordNext + 1) * wordNext)
	if w.ticking.Load() {
		return
	}
	w.ticking.Store(true)
	if w.timer == nil {
		w.timer = time.AfterFunc(time.Hour, w.tick) // tick uses the timer, so it is set first
	}
	w.timer.Reset(patience)
}

// tick calls a request that has been held since the tick before. The timer runs while requests
// are held, however many come and go: to set it for each would cost more than it saves.
func (w *watch) tick() {
	word := w.word.Load()
	if word == w.seen {
		w.call(word)
	}
	w.seen = word
	w.ticking.Store(false)
	// Whoever armed before that line found the timer ticking.
	if w.held() && w.ticking.CompareAndSwap(false, true) {
		w.timer.Reset(patience)
	}
}

// held says whether there is a request that has not been called.
func (w *watch) held() bool { return w.word.Load()&(wordEnded|wordCalled) == 0 }

// call calls the request that word is about, if that is still held.
func (w *watch) call(word uint32) {
	if word&(wordEnded|wordCalled) == 0 && w.word.CompareAndSwap(word, word|wordCalled) {
		w.signals <- called
	}
}

// stop is the end of the connection.
func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
}

// end is what the completer does last: afterwards it touches nothing of the connection.
func (c *conn) end() {
	if c.watch.word.Or(wordEnded)&wordWatching != 0 {
		c.timed.interrupt()
	}
	c.watch.signals <- ended
}

// await returns when the transaction has ended (false), or when the requester is gone (true):
// then awaitEnd must follow. stop ends the wait of a connection that is not read any more.
func (c *conn) await(stop <-chan struct{}) (gone bool) {
	w := &c.watch
	if c.aborted.Load() { // abort came before arm, and found nothing to call
		w.call(w.word.Load())
	}
	if <-w.signals == called {
		return c.watching(stop)
	}
	if w.word.Load()&wordCalled != 0 { // too late, but it comes
		<-w.signals
	}
	return false
}

// awaitEnd waits for the end alone.
func (c *conn) awaitEnd() {
	for <-c.watch.signals != ended {
	}
	c.timed.resume()
}

// watching waits for the end in a read of the connection, into the stash.
func (c *conn) watching(stop <-chan struct{}) (gone bool) {
	w := &c.watch
	_ = c.Conn.SetReadDeadline(never) // an error shows in the read
	if word := w.word.Load(); word&wordEnded != 0 || !w.word.CompareAndSwap(word, word|wordWatching) {
		c.awaitEnd()
		return false
	}
	for {
		select {
		case <-w.signals:
			c.timed.resume()
			return false
		default:
		}
		err := c.readAhead()
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded): // not Timeout(): a dead peer has that too
			c.awaitEnd()
			return false
		case errors.Is(err, errStashFull):
			select {
			case <-w.signals:
				c.timed.resume()
				return false
			case <-stop:
				return true
			}
		default:
			return true
		}
	}
}

// abort ends a connection from outside: whoever reads, writes or waits hears of it.
func (c *conn) abort() {
	c.aborted.Store(true)
	_ = c.Conn.Close()
	c.watch.call(c.watch.word.Load()) // a request that is armed meanwhile sees aborted
}
