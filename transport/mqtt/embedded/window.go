package embedded

import (
	"encoding/binary"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// window is the flow control of QoS 1 and 2 towards one connection (MQTT 5 §4.9): its client says
// in CONNECT how many such messages he takes before he has acknowledged some, his Receive Maximum.
// It takes the place of the broker's own, which ends in a deadlock (mochi-mqtt v2.7.9):
//
//  1. A client with a Receive Maximum acknowledges. When the broker has processed the packet,
//     NextImmediate of the client's Inflight looks for a message that waited: it takes the read
//     lock of Inflight, and calls GetAll.
//  2. Before that has got far, somebody publishes to the client. Inflight.Set asks for the write
//     lock and waits for the reader; who asks for the read lock from now on waits behind it.
//  3. GetAll does: it takes the read lock a second time. Its goroutine holds what Set waits for,
//     and waits for Set.
//  4. Whoever publishes to the client next waits too, the broker's own ticker among them. Requests
//     to others are published on the same goroutines, so nothing is answered any more.
//
// Without the deadlock it would still end: a message that waited is forgotten as it is sent, so its
// acknowledgement gives nothing back to the quota, which is used up for good after as many
// messages as the client takes at once.
//
// The broker has a quota only for who stated a Receive Maximum. So it is not told:
//
//  1. [hook.OnSessionEstablish] runs before the client is given anything. It moves the Receive
//     Maximum from the broker's client to the window, and sets his quota to 0 of 0.
//  2. The broker now sends all that it has. It calls NextImmediate for no one whose quota is 0,
//     and the quota cannot rise above its maximum.
//  3. Each packet comes down to conn.Write, one at a time. What is above the window waits there,
//     in its order. The rest of the backlog overtakes it, as §4.9 asks for.
//  4. OnPacketRead sees the acknowledgement, and so much of what waits goes on to the backlog.
//
// The window lives as long as the connection. What waited then is in the session, and sent again.
type window struct {
	maximum int                 // how many may fly; 0: any number
	flying  map[uint16]struct{} // packet ids: in the backlog or written, and not acknowledged
	waiting [][]byte            // packets, the oldest first
	shut    bool                // the session is being set up
	early   [][]byte            // new messages that came while it was shut, of any QoS
	again   map[uint16]struct{} // packet ids of what was sent again while it was shut
}

// open is called before the first message.
func (w *window) open(maximum uint16) {
	// Packet ids bound it to that anyway.
	if maximum > 0 && maximum < 65535 {
		w.maximum, w.flying = int(maximum), map[uint16]struct{}{}
	}
}

// pass says whether a packet may go out now. If not, it is kept.
func (w *window) pass(packet []byte) bool {
	if w.shut && packet[0]>>4 == packets.Publish {
		if packet[0]&dup == 0 {
			w.early = append(w.early, append([]byte(nil), packet...))
			return false
		}
		w.again[packetID(packet)] = struct{}{}
	}
	if w.maximum == 0 || !acknowledged(packet) {
		return true
	}
	if len(w.flying) >= w.maximum || len(w.waiting) > 0 {
		w.waiting = append(w.waiting, append([]byte(nil), packet...))
		return false
	}
	w.flying[packetID(packet)] = struct{}{}
	return true
}

// end is told that the client is done with a message.
func (w *window) end(id uint16) { delete(w.flying, id) }

// next takes out the oldest packet that waits; nil: none may go out.
func (w *window) next() []byte {
	if len(w.waiting) == 0 || len(w.flying) >= w.maximum {
		return nil
	}
	packet := w.waiting[0]
	w.waiting[0] = nil
	if w.waiting = w.waiting[1:]; len(w.waiting) == 0 {
		w.waiting = nil // let go of the array that was walked along
	}
	w.flying[packetID(packet)] = struct{}{}
	return packet
}

// unshut is told that the session is set up, and returns what came early. It has to pass now, but
// for what has been sent as part of the session already.
func (w *window) unshut() (early [][]byte, sent func(packet []byte) bool) {
	early, again := w.early, w.again
	w.early, w.again, w.shut = nil, nil, false
	return early, func(packet []byte) bool {
		if !acknowledged(packet) {
			return false
		}
		_, sent := again[packetID(packet)]
		return sent
	}
}

// discard drops what waits and says how many bytes that was.
func (w *window) discard() (bytes int) {
	for _, packet := range append(w.early, w.waiting...) {
		bytes += len(packet)
	}
	w.early, w.waiting = nil, nil
	return bytes
}

// dup is the flag of a PUBLISH that is sent again.
const dup = 8

// acknowledged says whether a packet is a PUBLISH that will be.
func acknowledged(packet []byte) bool { return packet[0]>>4 == packets.Publish && packet[0]&6 != 0 }

// packetID is that of a PUBLISH of QoS 1 or 2, as the broker has encoded it.
func packetID(packet []byte) uint16 {
	_, n := binary.Uvarint(packet[1:])
	topic := packet[1+n:]
	return binary.BigEndian.Uint16(topic[2+int(binary.BigEndian.Uint16(topic)):])
}

// takeOver moves a client's Receive Maximum from the broker to his connection. A session that he
// goes on with is given the quota of his properties later: it is 0 then.
//
// Nor is the broker told that he takes topic aliases. It keeps messages in a session without the
// topic that an alias stood for, and sends them so on a connection that does not know the alias;
// and it drops messages that were to make one known. MQTT 5 §3.1.2.11.5 leaves it to us to use any.
//
// And as the broker gives a client new messages from the moment it knows of the connection, which
// is before CONNACK and before what waits in his session, they wait for both.
func (c *conn) takeOver(cl *broker.Client, welcomed func()) {
	c.welcomed = welcomed
	c.mu.Lock()
	c.window.open(cl.Properties.Props.ReceiveMaximum)
	c.window.shut, c.window.again = true, map[uint16]struct{}{}
	c.mu.Unlock()
	cl.Properties.Props.ReceiveMaximum = 0
	cl.State.Inflight.ResetSendQuota(0)
	cl.Properties.Props.TopicAliasMaximum = 0
}

// establish is told that the session is set up.
func (c *conn) establish() {
	c.mu.Lock()
	early, sent := c.window.unshut()
	for _, packet := range early {
		switch {
		case sent(packet):
			c.waiting -= len(packet)
			c.budget.held.Add(int64(-len(packet)))
		case c.window.pass(packet):
			c.backlog.append(packet)
		}
	}
	c.mu.Unlock()
	c.signal()
	c.established.Store(true)
}

// acknowledge is told that the client is done with a message of QoS 1 or 2.
func (c *conn) acknowledge(id uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.window.maximum == 0 {
		return
	}
	c.window.end(id)
	for packet := c.window.next(); packet != nil; packet = c.window.next() {
		c.backlog.append(packet)
		c.signal()
	}
}

// concludes says whether a packet from a client means that he is done with a message he was sent.
func concludes(pk *packets.Packet) bool {
	switch pk.FixedHeader.Type {
	case packets.Puback, packets.Pubcomp:
		return true
	case packets.Pubrec: // MQTT 5 §4.9
		return pk.ReasonCode >= packets.ErrUnspecifiedError.Code
	}
	return false
}
