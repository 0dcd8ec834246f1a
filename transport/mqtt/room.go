package mqtt

import (
	"fmt"
	"sync"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// room is where requests of nodes that wait (core.NodeOptions.Wait) are while there is no
// connection for them, or no subscription to their answers. Each publisher has one; its bytes are
// bounded by Options.Backlog, and they are dropped when their deadline comes, whether or not the
// broker ever does. The order of a node is kept like this:
//
//  1. A request goes into the room if none of its node can go out now, or if one is here already.
//  2. The connection ends. What it had accepted and not handed over is older than anything that
//     came here meanwhile: it is put in front, before the next connection is made.
//  3. The connection is there and the subscription made: what can go out does so in order, in one
//     pass under the lock that every new request of these nodes takes too.
//  4. One that has to stay, for its subscription is not made yet, holds back those behind it of its
//     node, even if the subscription is made during the pass. The next pass follows.
type room struct {
	publisher *publisher

	mu     sync.Mutex // guards all below; taken before that of an outbox, nothing is called under it
	line   line
	bytes  int
	pass   uint64
	timer  *time.Timer // nil: nothing has waited yet
	closed bool
}

// publish hands a request to the connection, or keeps it until there is one.
func (m *room) publish(rt *route, r *core.Request) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return fmt.Errorf("%w: %w", core.ErrNotSent, errClosed)
	}
	if rt.account.parked == 0 {
		c, err := m.publisher.bus.way(rt)
		if err == nil {
			err = c.request(rt, r)
		}
		if !passing(err) {
			return err
		}
	}
	now := time.Now()
	m.dropExpired(now) // the timer is put off while more comes all the time, see arm
	if !m.mayWait(&rt.account) {
		return errBacklog
	}
	packet := appendRequestLeft(nil, &rt.form, r, r.Deadline.Sub(now))
	m.line.push(parcel{account: &rt.account, id: r.ID, deadline: r.Deadline, since: now, packet: packet})
	m.count(&m.line.waiting[len(m.line.waiting)-1], 1)
	m.arm()
	return nil
}

func (m *room) mayWait(a *account) bool { return a.mayWait(m.publisher.bus.broker.Backlog - m.bytes) }

// count keeps account of a parcel that comes (1) or goes (-1); m.mu is held.
func (m *room) count(p *parcel, n int) {
	bytes := n * len(p.packet)
	m.bytes += bytes
	p.account.parked += n
	p.account.add(bytes)
	m.publisher.bus.counters.backlog.Add(int64(bytes))
	m.publisher.bus.counters.waiting.Add(int64(n))
}

// takeBack puts what a connection had accepted and not handed over in front of everything else. It
// was admitted once, so it does not matter how much waits here. True: the room is closed, and somebody
// waited for that.
func (m *room) takeBack(parcels []parcel) (lost bool) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return m.fail(parcels, errEnded)
	}
	for i := range parcels {
		m.count(&parcels[i], 1)
		m.line.expires(&parcels[i])
	}
	m.line.waiting = append(parcels, m.line.waiting...)
	m.arm()
	m.mu.Unlock()
	return false
}

// release hands what can go out to the connection.
func (m *room) release() {
	type failure struct {
		id  core.ID
		err error
	}
	var failed []failure
	m.mu.Lock()
	m.pass++
	m.dropExpired(time.Now())
	m.line.keep(func(p *parcel) bool {
		if p.account.stuck == m.pass {
			return true
		}
		err := m.resume(p)
		if passing(err) {
			p.account.stuck = m.pass
			return true
		}
		m.count(p, -1)
		if err != nil {
			failed = append(failed, failure{p.id, err})
		}
		return false
	})
	m.mu.Unlock()
	for _, f := range failed {
		m.fail([]parcel{{id: f.id}}, f.err)
	}
}

// resume hands a request to the connection; m.mu is held.
func (m *room) resume(p *parcel) error {
	c, err := m.publisher.bus.way(p.account.route)
	if err != nil {
		return err
	}
	// While it waited here it was on the account of its node; there it is counted once more, and
	// here no longer.
	return c.resume(p)
}

// fail ends requests, and says whether there was one that had not ended.
func (m *room) fail(parcels []parcel, err error) (lost bool) {
	for i := range parcels {
		if m.publisher.bus.sink.Fail(parcels[i].id, err) {
			m.publisher.bus.counters.unsent.Add(1)
			lost = true
		}
	}
	return lost
}

// dropExpired drops what ended while it waited; m.mu is held.
func (m *room) dropExpired(now time.Time) {
	m.line.expire(now, func(p *parcel) {
		m.count(p, -1)
		m.publisher.bus.counters.expired.Add(1)
	})
}

// arm has the room looked at when the next one expires; m.mu is held.
func (m *room) arm() {
	if m.line.soonest.IsZero() {
		return
	}
	wait := max(time.Until(m.line.soonest), expireEvery)
	if m.timer == nil {
		m.timer = time.AfterFunc(wait, m.sweep)
		return
	}
	m.timer.Reset(wait)
}

func (m *room) sweep() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropExpired(time.Now())
	m.arm()
}

// close ends what waits, and whatever comes after.
func (m *room) close() {
	m.mu.Lock()
	m.closed = true
	if m.timer != nil {
		m.timer.Stop()
	}
	left := m.line.waiting
	m.line.waiting = nil
	for i := range left {
		m.count(&left[i], -1)
	}
	m.mu.Unlock()
	m.fail(left, fmt.Errorf("%w: %w", core.ErrNotSent, errClosed))
}
