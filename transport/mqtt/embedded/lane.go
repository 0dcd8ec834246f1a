package embedded

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// lane is the short way of a node's requests: straight into the backlogs of the clients that
// subscribed. Looking for subscribers, copying the packet and handing it through a queue of the
// broker to a goroutine of the broker that writes to a goroutine of ours is what a request costs
// most here, and makes most of the garbage.
//
// It is open where it comes to the same: QoS 0, not retained, no handler, and subscribers who
// asked for nothing that only the broker keeps account of. All else goes the long way.
type lane struct {
	topic   string
	encoder *mqtt.Encoder
	plan    atomic.Pointer[plan]
}

// plan is who is given the requests of a lane, as of one generation of subscriptions. Immutable.
type plan struct {
	generation uint64
	open       bool
	from       time.Time // not before: see settleTime
	receivers  []receiver
}

type receiver struct {
	client *broker.Client
	conn   *conn
	plain  bool // MQTT 3.1.1
	limit  int  // the largest packet he takes; 0: any
}

// settleTime is how long a lane stays closed after its subscribers changed, so that it does not
// overtake what went the long way before. That takes microseconds: no queue there waits for a
// client.
const settleTime = time.Second

// generations counts the changes that a plan may have to follow: subscriptions, sessions, handlers.
type generations struct {
	number atomic.Uint64
	last   atomic.Pointer[time.Time]
}

func (g *generations) bump() {
	now := time.Now()
	g.last.Store(&now)
	g.number.Add(1)
}

// openLane gives a node a lane if its requests may take one at all.
func (b *Broker) openLane(node *core.Node) {
	if node.QoS() == 0 && !node.Retain() && !node.FailFast() {
		b.lanes.Store(node, &lane{topic: node.RequestTopic(), encoder: mqtt.NewEncoder(node)})
	}
}

// short gives a request to its receivers. False: it must go the long way.
func (b *Broker) short(r *core.Request) bool {
	l, ok := b.lanes.Load(r.Node)
	if !ok || len(r.Value)+requestOverhead > b.options.MaxPacket {
		return false
	}
	p := b.planOf(l)
	if !p.open || !p.from.IsZero() && r.Deadline.Add(-r.Timeout).Before(p.from) {
		return false
	}
	for i := range p.receivers {
		if p.receivers[i].client.Closed() { // his next connection may be there already
			return false
		}
	}
	if !b.sink.Sent(r.ID) {
		b.counters.expired.Add(1)
		return true
	}
	b.counters.requests.Add(1)
	b.countReceived()
	b.deliverShort(l, p, r)
	return true
}

// requestOverhead is more than a request message takes besides its value.
const requestOverhead = 128

// packetBuffers keeps buffers to encode into.
var packetBuffers = sync.Pool{New: func() any { return new([]byte) }}

// maxKeptPacket keeps single large requests from staying in the pool.
const maxKeptPacket = 64 << 10

func (b *Broker) deliverShort(l *lane, p *plan, r *core.Request) {
	buf := packetBuffers.Get().(*[]byte)
	packet, plain := (*buf)[:0], false
	for i := range p.receivers {
		to := &p.receivers[i]
		switch {
		case len(packet) > 0 && plain == to.plain: // as the one before
		case to.plain:
			packet = l.encoder.AppendPlain(packet[:0], r)
		default:
			packet = l.encoder.Append(packet[:0], r)
		}
		plain = to.plain
		if to.limit > 0 && len(packet) > to.limit {
			continue // MQTT 5 §3.1.2.11.4: as if it had been delivered
		}
		if _, err := to.conn.Write(packet); err == nil { // else he is being disconnected
			b.countSent(len(packet))
		}
	}
	if cap(packet) <= maxKeptPacket {
		*buf = packet
		packetBuffers.Put(buf)
	}
}

// countSent keeps the broker's own counters true, which it publishes below $SYS.
func (b *Broker) countSent(bytes int) {
	info := b.server.Info
	atomic.AddInt64(&info.BytesSent, int64(bytes))
	atomic.AddInt64(&info.PacketsSent, 1)
	atomic.AddInt64(&info.MessagesSent, 1)
}

// countReceived counts a request as the broker would: as if a client had sent it.
func (b *Broker) countReceived() {
	info := b.server.Info
	atomic.AddInt64(&info.PacketsReceived, 1)
	atomic.AddInt64(&info.MessagesReceived, 1)
}

// planOf returns the lane's plan for the subscriptions that there are now.
func (b *Broker) planOf(l *lane) *plan {
	// A change counts itself after it was made. So a plan made between the two is of the new
	// subscriptions with the old number, and is made once more.
	generation := b.generations.number.Load()
	before := l.plan.Load()
	if before != nil && before.generation == generation {
		return before
	}
	p := &plan{generation: generation}
	p.receivers, p.open = b.receivers(l.topic)
	if last := b.generations.last.Load(); last != nil && !before.same(p) {
		p.from = last.Add(b.settle)
	} else if before != nil {
		p.from = before.from
	}
	l.plan.Store(p)
	return p
}

// same says whether two plans are for the same receivers.
func (p *plan) same(other *plan) bool {
	if p == nil || !p.open || !other.open || len(p.receivers) != len(other.receivers) {
		return false
	}
	for i := range p.receivers {
		if !slices.Contains(other.receivers, p.receivers[i]) {
			return false
		}
	}
	return true
}

// receivers returns who subscribed to a topic. False: not all of them can be given a packet
// without the broker.
func (b *Broker) receivers(topic string) ([]receiver, bool) {
	subscribers := b.subscribers(topic)
	if len(subscribers.Shared) > 0 || b.handlers.wants(topic) {
		return nil, false
	}
	var all []receiver
	for id, sub := range subscribers.Subscriptions {
		client, ok := b.server.Clients.Get(id)
		if !ok {
			continue
		}
		c, ok := client.Net.Conn.(*conn)
		wishes := &client.Properties.Props
		if !ok || !c.established.Load() || sub.NoLocal || identified(&sub) {
			return nil, false
		}
		if client.Closed() { // messages of QoS 0 are not kept for who is away
			continue
		}
		all = append(all, receiver{client, c, client.Properties.ProtocolVersion < 5, int(wishes.MaximumPacketSize)})
	}
	return all, true
}

// answerTopic is a topic on which answers come.
type answerTopic struct {
	node *core.Node
	// others says whether a client is subscribed to it, in the lowest bit; above it is one more
	// than the generation that this is true of. 0: it was not looked at.
	others atomic.Uint64
}

// ours says whether nobody but us listens to an answer topic. The broker makes four maps to find
// that out, for each answer.
func (b *Broker) ours(a *answerTopic) bool {
	generation := b.generations.number.Load() + 1 // before looking, see planOf
	known := a.others.Load()
	if known>>1 != generation {
		known = generation << 1
		if all := b.subscribers(a.node.AnswerTopic()); len(all.Subscriptions) > 0 || len(all.Shared) > 0 {
			known |= 1
		}
		a.others.Store(known)
	}
	return known&1 == 0
}

// identified says whether a subscription has a Subscription Identifier. The broker has 0 for none.
func identified(sub *packets.Subscription) bool {
	for _, id := range sub.Identifiers {
		if id != 0 {
			return true
		}
	}
	return false
}
