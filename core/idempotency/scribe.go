package idempotency

import (
	"log/slog"
	"sync"
	"time"
)

// scribe is the goroutine that tells the store what happens, in the order in which it happens, and
// publishes what has been written. There is none without a store.
type scribe struct {
	table   *Table
	wake    chan struct{} // one token: there is something to do
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once

	mu         sync.Mutex // guards what was logged
	logged     time.Time
	suppressed int
}

// write is one thing that the store is told: to put the record, or to forget a key.
type write struct {
	node   *node
	record *Record
	forget scope
	parcel *parcel // whose intent the record is
}

func (s *scribe) start(t *Table) {
	s.table = t
	s.wake, s.stop, s.stopped = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	s.wakeUp() // records whose time is over are there from the start
	go s.run()
}

func (s *scribe) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// writeLocked has it written, after all that came before.
func (t *Table) writeLocked(w write) {
	if t.sealed {
		return
	}
	t.writes = append(t.writes, w)
	t.scribe.wakeUp()
}

func (s *scribe) run() {
	defer close(s.stopped)
	for {
		select {
		case <-s.wake:
			s.write()
			s.publish()
		case <-s.stop:
			s.finish()
			return
		}
	}
}

// write tells the store all there is.
func (s *scribe) write() {
	t := s.table
	t.mu.Lock()
	writes := t.writes
	t.writes = nil
	t.mu.Unlock()
	for i := range writes {
		w := &writes[i]
		switch {
		case w.record == nil:
			t.options.Store.Delete(w.forget.node, w.forget.user, w.forget.key)
		case w.parcel == nil:
			t.options.Store.Put(w.record, func(err error) { s.replyWritten(w.node, err) })
		default:
			t.options.Store.Put(w.record, func(err error) {
				s.complain(err)
				t.written(w.parcel, w.node, err)
			})
		}
	}
}

// replyWritten hears of a reply. One that could not be written is in memory as long as the
// process lives.
func (s *scribe) replyWritten(n *node, err error) {
	if err == nil {
		return
	}
	s.complain(err)
	s.table.mu.Lock()
	n.stats.Unwritten++
	s.table.mu.Unlock()
}

// complain logs what the store says, once a second at most.
func (s *scribe) complain(err error) {
	if err == nil {
		return
	}
	s.mu.Lock()
	now := time.Now()
	silent := now.Sub(s.logged) < time.Second
	n := s.suppressed
	if silent {
		s.suppressed++
	} else {
		s.logged, s.suppressed = now, 0
	}
	s.mu.Unlock()
	if !silent {
		s.table.options.Logger.Error("an idempotency key could not be written to disk", slog.Any("error", err), slog.Int("suppressed", n))
	}
}

// finish ends what waits to be published, and writes what is left. The engine is closed: there is
// no more to come but what these ends bring.
func (s *scribe) finish() {
	t := s.table
	t.mu.Lock()
	var left []*parcel
	for n := range t.lines {
		left = append(left, n.line...)
		n.line = nil
	}
	clear(t.lines)
	t.parked, t.volume = 0, 0
	t.mu.Unlock()
	for _, p := range left {
		t.sink.Fail(p.request.ID, errStopped)
	}
	for !s.seal() {
		s.write()
	}
}

// seal says that nothing is written any more, if there is nothing left.
func (s *scribe) seal() bool {
	t := s.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sealed = len(t.writes) == 0
	return t.sealed
}

func (s *scribe) close() {
	if s.stop == nil {
		return // there is no store
	}
	s.once.Do(func() { close(s.stop) })
	<-s.stopped
}
