package mqtt

import (
	"bytes"
	"net"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// program is what is left of one; its end reads as zeros.
type program []byte

func (p *program) next() byte {
	if len(*p) == 0 {
		return 0
	}
	c := (*p)[0]
	*p = (*p)[1:]
	return c
}

// some takes as many bytes as the next one says.
func (p *program) some() []byte {
	n := min(int(p.next()), len(*p))
	taken := bytes.Clone((*p)[:n])
	*p = (*p)[n:]
	return taken
}

// hostileClient is a connection of the bus.
type hostileClient struct {
	net.Conn
	published chan *packets.Publish
}

// greeting is what answers a CONNECT: as it should be, or else marked by a "!" which is not sent.
func (h *hostile) greeting() []byte {
	switch h.program.next() % 4 {
	case 1:
		return append([]byte("!"), h.program.some()...)
	case 2: // Receive Maximum 1, Maximum QoS 1, Maximum Packet Size 300
		return []byte{0x20, 13, 0, 0, 10, 0x21, 0, 1, 0x24, 1, 0x27, 0, 0, 1, 44}
	case 3: // a session that there was not, and no Subscription Identifiers
		return []byte{'!', 0x20, 5, 1, 0, 2, 0x29, 0}
	default:
		return []byte{0x20, 3, 0, 0, 0}
	}
}

func (h *hostile) accept(greetings [2][]byte) {
	for {
		c, err := h.listen.Accept()
		if err != nil {
			return
		}
		h.running.Go(func() { h.serve(c, greetings) })
	}
}

// serve greets a connection and does what an honest broker does by itself: it grants
// subscriptions and answers pings.
func (h *hostile) serve(c net.Conn, greetings [2][]byte) {
	defer c.Close()
	p, err := packets.ReadPacket(c)
	if err != nil {
		return
	}
	connect, ok := p.Content.(*packets.Connect)
	if !ok {
		return
	}
	role := 0
	if strings.HasSuffix(connect.ClientID, "-p0") {
		role = 1
	}
	client := &hostileClient{c, make(chan *packets.Publish, 100)}
	h.mu.Lock()
	if h.conns[role] == nil {
		h.conns[role] = client
	}
	h.extra = append(h.extra, c)
	h.mu.Unlock()
	_, _ = c.Write(bytes.TrimPrefix(greetings[role], []byte("!")))
	for {
		p, err := packets.ReadPacket(c)
		if err != nil {
			return
		}
		switch body := p.Content.(type) {
		case *packets.Subscribe:
			answer := packets.NewControlPacket(packets.SUBACK)
			suback := answer.Content.(*packets.Suback)
			suback.PacketID, suback.Reasons = body.PacketID, make([]byte, len(body.Subscriptions))
			_, _ = answer.WriteTo(c)
		case *packets.Pingreq:
			_, _ = packets.NewControlPacket(packets.PINGRESP).WriteTo(c)
		case *packets.Publish:
			select {
			case client.published <- body:
			default:
			}
		}
	}
}

// write sends bytes on one of the two connections, if there is one.
func (h *hostile) write(role int, b []byte) {
	h.mu.Lock()
	c := h.conns[role]
	h.mu.Unlock()
	if role == 0 {
		h.sent = append(h.sent, b...)
	}
	if c != nil {
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = c.Write(b)
	}
}
