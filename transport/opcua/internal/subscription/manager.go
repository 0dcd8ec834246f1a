package subscription

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// Manager has the subscriptions of all sessions.
type Manager struct {
	options  Options
	items    budget // monitored items
	queued   budget // room in their queues, beyond one sample each
	retained budget // notifications in kept messages
	// Long values are bounded by bytes, besides: in queues, and in kept messages.
	queuedBytes, retainedBytes budget
	log                        rate.Sometimes

	mu            sync.Mutex // guards all below; leaf
	closed        bool
	subscriptions map[uint32]*subscription
	owners        map[*Owner]struct{}
	lastID        uint32
}

// NewManager returns a manager. Close ends it.
func NewManager(o Options) *Manager {
	o = o.withDefaults()
	return &Manager{
		options:       o,
		items:         budget{limit: int64(o.MaxItems)},
		queued:        budget{limit: int64(o.MaxQueued)},
		retained:      budget{limit: int64(o.MaxRetained)},
		queuedBytes:   budget{limit: int64(o.MaxQueuedBytes)},
		retainedBytes: budget{limit: int64(o.MaxRetainedBytes)},
		log:           rate.Sometimes{First: 1, Interval: time.Minute},
		subscriptions: map[uint32]*subscription{},
		owners:        map[*Owner]struct{}{},
		lastID:        rand.Uint32(), // not those of an earlier process (5.14.2.2)
	}
}

// Close deletes everything: no timer remains. Publish requests that wait are dropped. A response
// that is under way may still arrive.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	owners, subscriptions := m.owners, m.subscriptions
	m.owners, m.subscriptions = map[*Owner]struct{}{}, map[uint32]*subscription{}
	m.mu.Unlock()
	for o := range owners {
		o.leave()
	}
	for _, s := range subscriptions {
		s.delete(nil)
	}
}

// add gives a subscription its id, unless there are too many.
func (m *Manager) add(s *subscription) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || len(m.subscriptions) >= m.options.MaxSubscriptions {
		return false
	}
	for m.lastID++; m.lastID == 0 || m.subscriptions[m.lastID] != nil; m.lastID++ {
		continue
	}
	s.id = m.lastID
	m.subscriptions[s.id] = s
	return true
}

func (m *Manager) find(id uint32) *subscription {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.subscriptions[id]
}

func (m *Manager) remove(s *subscription) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.subscriptions, s.id)
}

// forget is the opposite of NewOwner.
func (m *Manager) forget(o *Owner) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.owners, o)
}

// rescue is deferred where a fault must not end the process: it logs the fault, and then has
// done what is to be done about it.
func (m *Manager) rescue(then func()) {
	fault := recover()
	if fault == nil {
		return
	}
	m.log.Do(func() {
		m.options.Logger.Error("a subscription failed: please report this as a bug",
			"fault", fmt.Sprint(fault), "stack", string(debug.Stack()))
	})
	if then != nil {
		then()
	}
}

// budget bounds what all subscriptions have together. A nil one has room for everything.
type budget struct {
	limit int64
	used  atomic.Int64
}

// reserve takes n, unless that is too much.
func (b *budget) reserve(n int) bool {
	if b == nil || n == 0 {
		return true
	}
	if b.used.Add(int64(n)) > b.limit {
		b.used.Add(int64(-n))
		return false
	}
	return true
}

// force takes n in any case.
func (b *budget) force(n int) {
	if b != nil && n != 0 {
		b.used.Add(int64(n))
	}
}

func (b *budget) release(n int) { b.force(-n) }
