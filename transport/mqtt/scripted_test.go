package mqtt

import (
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

// scripted is a broker that does what the test says. It uses paho's packets, which are not ours.
type scripted struct {
	t        testing.TB
	listener net.Listener
	clients  chan *client // those that were accepted, in the order of their CONNECT
	wg       sync.WaitGroup

	mu      sync.Mutex // guards all below
	open    []net.Conn
	connack func(*packets.Connect) *packets.Connack // nil: accept
	suback  func(filter string) byte                // nil: grant
	reject  func(net.Conn)                          // if not nil: treats a connection instead
	mute    bool                                    // it answers no PINGREQ
}

// client is a connection that the scripted broker has accepted.
type client struct {
	net.Conn
	t       testing.TB
	connect *packets.Connect
	// in has everything but CONNECT and PINGREQ, which are answered. SUBSCRIBE is answered too.
	in   chan *packets.ControlPacket
	gone chan struct{}
}

// newScripted starts one; configure may change it before it accepts anybody.
func newScripted(t testing.TB, configure ...func(*scripted)) *scripted {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &scripted{t: t, listener: l, clients: make(chan *client, 64)}
	for _, c := range configure {
		c(s)
	}
	s.wg.Go(s.accept)
	t.Cleanup(func() {
		l.Close()
		s.dropAll()
		s.wg.Wait()
	})
	return s
}

func (s *scripted) url() string { return "mqtt://" + s.listener.Addr().String() }

// requireSecret: where the broker is, is no business of a requester.
func (s *scripted) requireSecret(detail string) {
	s.t.Helper()
	require.NotContains(s.t, detail, s.listener.Addr().String())
}

// script changes what the broker does.
func (s *scripted) script(change func(*scripted)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

func (s *scripted) dropAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		c.Close()
	}
	s.open = nil
}

func (s *scripted) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open = append(s.open, c)
		reject := s.reject
		s.mu.Unlock()
		if reject != nil {
			s.wg.Go(func() { reject(c) })
			continue
		}
		s.wg.Go(func() { s.serve(c) })
	}
}

func (s *scripted) serve(raw net.Conn) {
	defer raw.Close()
	c := &client{Conn: raw, t: s.t, in: make(chan *packets.ControlPacket, 4096), gone: make(chan struct{})}
	defer close(c.gone)
	for {
		p, err := packets.ReadPacket(raw)
		if err != nil {
			return
		}
		switch body := p.Content.(type) {
		case *packets.Connect:
			c.connect = body
			answer := s.accepts(body)
			if _, err := answer.WriteTo(raw); err != nil || answer.ReasonCode >= 0x80 {
				return
			}
			s.clients <- c
		case *packets.Pingreq:
			s.mu.Lock()
			mute := s.mute
			s.mu.Unlock()
			if !mute {
				c.send(packets.NewControlPacket(packets.PINGRESP))
			}
		case *packets.Subscribe:
			c.in <- p
			c.send(s.grants(body))
		default:
			c.in <- p
		}
	}
}

func (s *scripted) accepts(cp *packets.Connect) *packets.Connack {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.connack != nil {
		return s.connack(cp)
	}
	return accepted(&packets.Properties{})
}

func accepted(p *packets.Properties) *packets.Connack { return &packets.Connack{Properties: p} }

func (s *scripted) grants(sub *packets.Subscribe) *packets.ControlPacket {
	s.mu.Lock()
	suback := s.suback // it may block
	s.mu.Unlock()
	p := packets.NewControlPacket(packets.SUBACK)
	answer := p.Content.(*packets.Suback)
	answer.PacketID = sub.PacketID
	for _, o := range sub.Subscriptions {
		code := o.QoS
		if suback != nil {
			code = suback(o.Topic)
		}
		answer.Reasons = append(answer.Reasons, code)
	}
	return p
}

// pair takes the next two clients: the one that answers come on, and the one that publishes.
func (s *scripted) pair() (answers, publisher *client) {
	s.t.Helper()
	for answers == nil || publisher == nil {
		if c := receive(s.t, s.clients); c.connect.CleanStart && c.connect.Properties.SessionExpiryInterval == nil {
			publisher = c
		} else {
			answers = c
		}
	}
	return answers, publisher
}

// named takes clients until one has this id.
func (s *scripted) named(clientID string) *client {
	s.t.Helper()
	for {
		if c := receive(s.t, s.clients); c.connect.ClientID == clientID {
			return c
		}
	}
}

func (c *client) send(p *packets.ControlPacket) {
	p.WriteTo(c) // the client may be gone
}

// next takes the next packet, which must be of this type.
func next[T any](c *client) T {
	c.t.Helper()
	p := receive(c.t, c.in)
	body, ok := p.Content.(T)
	require.True(c.t, ok, "got a %s", p.PacketType())
	return body
}

func (c *client) publish(p *packets.Publish) {
	if p.Properties == nil {
		p.Properties = &packets.Properties{}
	}
	c.send(p.ToControlPacket())
}

// answer answers a request on its response topic.
func (c *client) answer(request *packets.Publish, value string) {
	c.publish(&packets.Publish{Topic: request.Properties.ResponseTopic, Payload: answerTo(request.Payload, value)})
}

// acknowledge sends a PUBACK or the like.
func (c *client) acknowledge(kind byte, id uint16, reason byte) {
	p := packets.NewControlPacket(kind)
	switch body := p.Content.(type) {
	case *packets.Puback:
		body.PacketID, body.ReasonCode = id, reason
	case *packets.Pubrec:
		body.PacketID, body.ReasonCode = id, reason
	case *packets.Pubcomp:
		body.PacketID, body.ReasonCode = id, reason
	case *packets.Pubrel:
		body.PacketID, body.ReasonCode = id, reason
	}
	c.send(p)
}

// lost waits until the client has closed its side.
func (c *client) lost() {
	c.t.Helper()
	select {
	case <-c.gone:
	case <-time.After(patience):
		require.FailNow(c.t, "the client is still connected")
	}
}
