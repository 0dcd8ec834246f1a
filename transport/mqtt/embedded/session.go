package embedded

import (
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// The methods of the hook that keep account of what clients have not acknowledged. A session's
// ledger is with its last connection.

// OnSessionEstablished is called when the client has been told that he is connected.
func (h *hook) OnSessionEstablished(cl *broker.Client, _ packets.Packet) {
	freeQuota(cl)
	if c, ok := cl.Net.Conn.(*conn); ok {
		c.establish()
	}
	h.b.generations.bump()
}

// OnSubscribe is called before the filters are looked at.
func (h *hook) OnSubscribe(_ *broker.Client, pk packets.Packet) packets.Packet {
	refuse(pk.Filters)
	return pk
}

// OnSubscribed and OnUnsubscribed are called before the client is told.
func (h *hook) OnSubscribed(cl *broker.Client, pk packets.Packet, _ []byte) {
	h.b.generations.bump()
	h.b.caution(cl, pk.Filters)
}

func (h *hook) OnUnsubscribed(*broker.Client, packets.Packet) { h.b.generations.bump() }

// OnSessionEstablish takes over what the broker should not care for, and ends the session that a
// new connection does not go on with.
func (h *hook) OnSessionEstablish(cl *broker.Client, pk packets.Packet) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		c.takeOver(cl, h.b.generations.bump) // a lane may be open without him
	}
	old, ok := h.b.server.Clients.Get(cl.ID)
	if ok && (pk.Connect.Clean || old.Properties.Clean && old.Properties.ProtocolVersion < 5) {
		closeLedger(old)
	}
}

func (h *hook) OnDisconnect(cl *broker.Client, _ error, expire bool) {
	if expire || cl.IsTakenOver() {
		closeLedger(cl)
	}
	h.b.generations.bump()
}

// OnClientExpired ends the subscriptions too, which the broker forgets: they would be those of
// whoever comes with the same client identifier.
func (h *hook) OnClientExpired(cl *broker.Client) {
	closeLedger(cl)
	h.b.server.UnsubscribeClient(cl)
}

// OnPacketRead sees acknowledgements. From PUBREC on, the broker keeps no more than the packet id.
func (h *hook) OnPacketRead(cl *broker.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Pubrec {
		settle(cl, pk.PacketID)
	}
	c, ok := cl.Net.Conn.(*conn)
	if ok && concludes(&pk) {
		c.acknowledge(pk.PacketID)
	}
	if ok && !c.unreleased.count(&pk) {
		h.b.dismiss(cl, packets.ErrReceiveMaximum)
		return pk, packets.ErrRejectPacket // no other error ends the reading
	}
	return pk, nil
}

// OnQosPublish is called for acknowledgements too: they take the place of a message with the
// same packet id.
func (h *hook) OnQosPublish(cl *broker.Client, pk packets.Packet, _ int64, _ int) {
	if pk.FixedHeader.Type != packets.Publish {
		settle(cl, pk.PacketID)
	} else if c, ok := cl.Net.Conn.(*conn); ok {
		h.b.unacknowledged(cl, c, &pk)
	}
}

func (h *hook) OnQosComplete(cl *broker.Client, pk packets.Packet) { settle(cl, pk.PacketID) }

func (h *hook) OnQosDropped(cl *broker.Client, pk packets.Packet) { settle(cl, pk.PacketID) }

func settle(cl *broker.Client, id uint16) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		c.unacked.settle(id)
	}
}

func closeLedger(cl *broker.Client) {
	if c, ok := cl.Net.Conn.(*conn); ok {
		c.unacked.close()
	}
}
