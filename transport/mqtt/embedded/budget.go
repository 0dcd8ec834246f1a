package embedded

import (
	"errors"
	"sync"
	"sync/atomic"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// budget is what may wait for all clients together, in bytes.
type budget struct {
	limit   int64
	held    atomic.Int64
	relieve func() // called by check; no lock of a conn or a ledger is held then
}

// check makes room if more is held than may be.
func (b *budget) check() {
	if b.over() {
		b.relieve()
	}
}

func (b *budget) over() bool { return b.held.Load() > b.limit }

// ackOverhead is what a message that is not acknowledged takes besides topic and payload.
const ackOverhead = 800

// ledger keeps account of what a client has not acknowledged, because the broker counts
// messages, not bytes. It outlives the connection, as the session may.
type ledger struct {
	budget *budget
	mu     sync.Mutex // guards the rest; leaf
	sizes  map[uint16]int
	total  int
	stale  bool // something may have been taken back without a word
	shut   bool // the session has ended
}

// charge counts a message and returns the new total.
func (l *ledger) charge(pk *packets.Packet) int {
	size := ackOverhead + len(pk.TopicName) + len(pk.Payload)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.shut {
		return 0
	}
	if l.sizes == nil {
		l.sizes = map[uint16]int{}
	}
	more := size - l.sizes[pk.PacketID]
	l.sizes[pk.PacketID] = size
	l.total += more
	l.budget.held.Add(int64(more))
	return l.total
}

// settle is told that a message is not kept any more.
func (l *ledger) settle(id uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settleLocked(id)
}

func (l *ledger) settleLocked(id uint16) {
	size := l.sizes[id]
	delete(l.sizes, id)
	l.total -= size
	l.budget.held.Add(int64(-size))
}

// close is told that the session has ended.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.budget.held.Add(int64(-l.total))
	l.sizes, l.total, l.shut = nil, 0, true
}

func (l *ledger) distrust() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stale = true
}

// audit strikes out what the broker took back without a word, and returns the total.
func (l *ledger) audit(kept func(id uint16) bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stale {
		l.stale = false
		for id := range l.sizes {
			if !kept(id) {
				l.settleLocked(id)
			}
		}
	}
	return l.total
}

func (l *ledger) bytes() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

var (
	errMute    = errors.New("the client does not acknowledge")
	errCrowded = errors.New("too much waits for all clients")
)

// unacknowledged is told of each message of QoS 1 or 2 that a client is given.
func (b *Broker) unacknowledged(cl *broker.Client, c *conn, pk *packets.Packet) {
	total := c.unacked.charge(pk)
	if cl.IsTakenOver() { // the new session has a ledger of its own
		c.unacked.settle(pk.PacketID)
		return
	}
	if total > b.options.MaxBacklog {
		total = c.unacked.audit(func(id uint16) bool {
			_, kept := cl.State.Inflight.Get(id)
			return kept
		})
		if total > b.options.MaxBacklog {
			b.mute.report("client", cl.ID, "unacknowledged", total, "limit", b.options.MaxBacklog)
			b.giveUp(c, cl, errMute)
		}
	}
	b.budget.check()
}

// relieve gives up who holds most until the budget holds. Callers may be inside a write to one
// client, so it takes no lock that the broker holds while it writes.
func (b *Broker) relieve() {
	b.relieving.Lock()
	defer b.relieving.Unlock()
	for b.budget.over() {
		c, cl, most := b.heaviest()
		if most == 0 {
			return // it has been given back meanwhile
		}
		b.crowded.report("remote", c.remote, "waiting", most, "limit", b.options.MaxBacklogTotal)
		b.giveUp(c, cl, errCrowded)
	}
}

// heaviest looks at connections, and at sessions without one. cl is nil if there is no session.
func (b *Broker) heaviest() (heaviest *conn, session *broker.Client, most int) {
	holders := map[*conn]*broker.Client{}
	b.mu.Lock()
	for c := range b.conns {
		holders[c] = nil
	}
	b.mu.Unlock()
	for _, cl := range b.server.Clients.GetAll() {
		if c, ok := cl.Net.Conn.(*conn); ok {
			holders[c] = cl
		}
	}
	for c, cl := range holders {
		if held := c.held(); held > most {
			heaviest, session, most = c, cl, held
		}
	}
	return heaviest, session, most
}

// giveUp cuts a client's connection and drops all that waits for him, in his session too.
func (b *Broker) giveUp(c *conn, cl *broker.Client, why error) {
	if c.giveUp(why) {
		b.counters.slowClients.Add(1)
	}
	if cl != nil {
		b.counters.dropped.Add(uint64(cl.State.Inflight.Len()))
		cl.ClearInflights()
	}
}
