package mqtt

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// TestSentStaysHeld: what was handed over when the connection is lost is answered after the
// reconnect, and is not sent again.
func TestSentStaysHeld(t *testing.T) {
	for _, qos := range []byte{0, 1, 2} {
		s := newScripted(t)
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: qos, Timeout: time.Minute})
		g.start()
		_, publisher := s.pair()
		_, done := g.begin(0, `1`)
		request := next[*packets.Publish](publisher)
		s.script(func(s *scripted) {
			s.connack = func(cp *packets.Connect) *packets.Connack {
				return &packets.Connack{SessionPresent: !cp.CleanStart, Properties: &packets.Properties{}}
			}
		})
		s.dropAll()
		answers, publisher := s.pair()
		require.False(t, answers.connect.CleanStart, "the session with the answers is kept")
		require.True(t, publisher.connect.CleanStart)
		answers.answer(request, `2`)
		g.end(done, core.Answered)
		g.until(g.bus.Ready)
		g.begin(0, `"next"`)
		require.Contains(t, string(next[*packets.Publish](publisher).Payload), "next", "not the first one again")
		require.EqualValues(t, 2, g.bus.Stats().Reconnects)
		require.Zero(t, g.bus.Stats().SessionsLost)
		require.Empty(t, answers.in, "the subscriptions are still there")
	}
}

// TestSentThenLost: without an answer it ends as timeout, for it may have been done.
func TestSentThenLost(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", Timeout: 200 * time.Millisecond})
	g.start()
	_, publisher := s.pair()
	_, done := g.begin(0, `1`)
	next[*packets.Publish](publisher)
	s.dropAll()
	g.end(done, core.Timeout)
}

// TestSessionLost: subscriptions are made anew before anything is published, and it is loud.
func TestSessionLost(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	g.start()
	answers, _ := s.pair()
	next[*packets.Subscribe](answers)
	s.dropAll()
	answers, publisher := s.pair()
	require.Equal(t, "a/tres", next[*packets.Subscribe](answers).Subscriptions[0].Topic)
	g.start()
	require.EqualValues(t, 1, g.bus.Stats().SessionsLost)
	g.untilLogged("the broker lost our session")
	_, done := g.begin(0, `1`)
	answers.answer(next[*packets.Publish](publisher), `2`)
	g.end(done, core.Answered)
}

// TestConnackLost: the broker has forgotten the session, and made a new one for a CONNECT whose
// CONNACK was lost. When it then says that there is a session, that one has no subscriptions.
func TestConnackLost(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url(), ClientID: "gw"}, core.NodeOptions{Topic: "a"})
	g.start()
	answers := s.named("gw")
	next[*packets.Subscribe](answers)
	asked := make(chan string, 100)
	s.script(func(s *scripted) {
		s.reject = func(c net.Conn) {
			defer c.Close()
			if p, err := packets.ReadPacket(c); err == nil {
				asked <- p.Content.(*packets.Connect).ClientID
			}
		}
		s.connack = func(cp *packets.Connect) *packets.Connack {
			return &packets.Connack{SessionPresent: !cp.CleanStart, Properties: &packets.Properties{}}
		}
	})
	s.dropAll()
	for receive(t, asked) != "gw" {
	}
	s.script(func(s *scripted) { s.reject = nil })
	answers = s.named("gw")
	require.Equal(t, "a/tres", next[*packets.Subscribe](answers).Subscriptions[0].Topic)
	g.start()
	require.Zero(t, g.bus.Stats().SessionsLost, "nobody has said so")
	s.dropAll()
	answers = s.named("gw")
	g.start()
	require.Empty(t, answers.in, "now the subscriptions are known to be there")
}

// TestAwayNamesTheCause: Start and the log say why there is no connection; a requester hears
// only that there is none.
func TestAwayNamesTheCause(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = func(*packets.Connect) *packets.Connack {
			return &packets.Connack{ReasonCode: 0x86, Properties: &packets.Properties{}}
		}
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := g.bus.Start(ctx)
	require.ErrorContains(t, err, "broker "+s.url()+": not connected: the broker refused the connection: bad user name or password (0x86)")
	_, done := g.begin(0, `1`)
	require.Equal(t, "request was not published: not connected to the broker", g.end(done, core.NotPublished).Message)
	require.ErrorIs(t, g.bus.PublishMessage(Message{Topic: "t"}), core.ErrNotSent)
	g.untilLogged("bad user name or password (0x86)")
}

// TestRefusals names what is behind a broker that cannot be used.
func TestRefusals(t *testing.T) {
	greet := func(answer string) func(net.Conn) {
		return func(c net.Conn) {
			defer c.Close()
			packets.ReadPacket(c)
			io.WriteString(c, answer)
			io.Copy(io.Discard, c)
		}
	}
	hold := func(c net.Conn) { io.Copy(io.Discard, c) }
	hangUp := func(c net.Conn) { packets.ReadPacket(c); c.Close() }
	for name, c := range map[string]struct {
		reject func(net.Conn)
		want   string
	}{
		"MQTT 3.1.1, version refused":   {greet("\x20\x02\x00\x01"), "does not speak MQTT 5"},
		"MQTT 3.1.1, accepts all":       {greet("\x20\x02\x00\x00"), "does not speak MQTT 5"},
		"MQTT 5 says it does not":       {greet("\x20\x03\x00\x84\x00"), "does not speak MQTT 5: unsupported protocol version (0x84)"},
		"own words":                     {greet("\x20\x08\x00\x88\x05\x1f\x00\x02no"), `refused the connection: server unavailable (0x88): "no"`},
		"hangs up":                      {hangUp, "does it speak MQTT 5, and does it expect TLS (mqtts://)"},
		"silent":                        {hold, "no answer to CONNECT within 100ms"},
		"another protocol":              {greet("HTTP/1.1 400 Bad Request\r\n\r\n"), "is no MQTT broker"},
		"larger than allowed":           {greet("\x20\xff\xff\xff\x7f"), "more than the 1048576 that it was told to keep to"},
		"a length of more than 4 bytes": {greet("\x20\xff\xff\xff\xff\x7f"), "length has more than 4 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t, func(s *scripted) { s.reject = c.reject })
			g := newGateway(t, Options{URL: s.url(), DialTimeout: 100 * time.Millisecond})
			ctx, cancel := context.WithCancel(t.Context())
			started := make(chan error)
			go func() { started <- g.bus.Start(ctx) }()
			defer func() {
				cancel()
				require.ErrorContains(t, receive(t, started), c.want)
			}()
			g.until(func() bool { return *g.bus.answers.link.trouble.Load() != errNotStarted })
			require.ErrorContains(t, *g.bus.answers.link.trouble.Load(), c.want)
		})
	}
}

// TestNobodyListens: the error is that of the operating system.
func TestNobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	g := newGateway(t, Options{URL: "mqtt://" + l.Addr().String()}, core.NodeOptions{Topic: "a"})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, g.bus.Start(ctx), "connection refused")
}

// TestLostIsNotUnstarted: between the loss of the first connection and the report of its cause
// requesters hear that there is no connection, not that there has never been one.
func TestLostIsNotUnstarted(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	g.start()
	for _, l := range []*link{g.bus.answers.link, g.bus.publishers[0].link} {
		require.ErrorIs(t, *l.trouble.Load(), errLost)
		require.Equal(t, errAway, l.away())
	}
}

// TestTakeover: another client with our id is named, counted, and not fought.
func TestTakeover(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	g.start()
	answers, _ := s.pair()
	bye := packets.NewControlPacket(packets.DISCONNECT)
	bye.Content.(*packets.Disconnect).ReasonCode = 0x8e
	began := time.Now()
	answers.send(bye)
	g.until(func() bool { return g.bus.Stats().Takeovers == 1 })
	require.False(t, g.bus.Ready())
	g.untilLogged("session taken over (0x8e): another client uses the same client id")
	require.Equal(t, answers.connect.ClientID, receive(t, s.clients).connect.ClientID)
	require.GreaterOrEqual(t, time.Since(began), maxBackoff)
}

// TestLostWhileSubscribing: why the connection ended is told, not only that a SUBSCRIBE failed.
func TestLostWhileSubscribing(t *testing.T) {
	for name, c := range map[string]struct {
		end       func(net.Conn)
		want      string
		takeovers uint64
	}{
		"taken over":       {func(c net.Conn) { io.WriteString(c, "\xe0\x02\x8e\x00") }, "another client uses the same client id", 1},
		"without a reason": {func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }, "the broker closed the connection without a reason", 0},
		"bad packet":       {func(c net.Conn) { io.WriteString(c, "\x36\x05\x00\x01a\x00\x00") }, "QoS 3", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t, func(s *scripted) {
				s.reject = func(raw net.Conn) {
					defer raw.Close()
					for {
						p, err := packets.ReadPacket(raw)
						if err != nil {
							return
						}
						switch p.Content.(type) {
						case *packets.Connect:
							accepted(&packets.Properties{}).WriteTo(raw)
						case *packets.Subscribe:
							c.end(raw)
						}
					}
				}
			})
			g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.Error(t, g.bus.Start(ctx), "it goes on trying")
			g.until(func() bool { return strings.Contains(g.log.String(), "no connection to the broker") })
			g.untilLogged(c.want)
			require.Equal(t, c.takeovers, g.bus.Stats().Takeovers)
		})
	}
}

// TestBadPacketsEndTheConnection: nothing of them reaches paho or the engine.
func TestBadPacketsEndTheConnection(t *testing.T) {
	for name, bad := range map[string]string{
		"too large":              "\x30\xff\xff\xff\x7f",
		"QoS 3":                  "\x36\x05\x00\x01a\x00\x00",
		"no topic":               "\x30\x03\x00\x00\x00",
		"topic cut off":          "\x30\x03\x00\x09a",
		"packet identifier 0":    "\x32\x06\x00\x01a\x00\x00\x00",
		"property of CONNECT":    "\x30\x06\x00\x01a\x02\x21\x00",
		"properties cut off":     "\x30\x04\x00\x01a\x09",
		"acknowledges a message": "\x40\x02\x00\x01",
		"PUBREL cut off":         "\x62\x01\x00",
	} {
		t.Run(name, func(t *testing.T) {
			s := newScripted(t)
			g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
			g.start()
			answers, _ := s.pair()
			io.WriteString(answers, bad)
			answers.lost()
			require.Equal(t, answers.connect.ClientID, receive(t, s.clients).connect.ClientID, "it connects again")
			g.untilLogged("no connection to the broker")
		})
	}
}

// TestLargeAnswer: one that does not fit into the reader's buffer.
func TestLargeAnswer(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	g.start()
	answers, publisher := s.pair()
	for _, size := range []int{readBuffer - 100, readBuffer, 3 * readBuffer, 20 * readBuffer} {
		_, done := g.begin(0, `1`)
		value := make([]byte, size)
		for i := range value {
			value[i] = '0' + byte(i%10)
		}
		value[0], value[size-1] = '"', '"'
		answers.answer(next[*packets.Publish](publisher), string(value))
		require.Equal(t, string(value), string(g.end(done, core.Answered).Value))
	}
}

// TestBackoff: 0.1 to 2 s, never the same for all.
func TestBackoff(t *testing.T) {
	for attempt := range 100 {
		low := min(minBackoff<<min(attempt, 10), maxBackoff/2)
		for range 20 {
			d := backoff(attempt)
			require.GreaterOrEqual(t, d, low)
			require.LessOrEqual(t, d, 2*low)
		}
	}
	require.LessOrEqual(t, backoff(1000), maxBackoff)
	require.Equal(t, 100*time.Millisecond, minBackoff)
	require.Equal(t, 2*time.Second, maxBackoff)
}

// TestClose says goodbye, ends the session, and leaves nothing behind.
func TestClose(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a"})
	g.start()
	answers, publisher := s.pair()
	next[*packets.Subscribe](answers)
	require.NoError(t, g.bus.Close(t.Context()))
	require.NoError(t, g.bus.Close(t.Context()), "again")
	require.Zero(t, *next[*packets.Disconnect](answers).Properties.SessionExpiryInterval)
	next[*packets.Disconnect](publisher)
	_, done := g.begin(0, `1`)
	require.Contains(t, g.end(done, core.NotPublished).Message, errClosed.Error())
	require.ErrorIs(t, g.bus.Start(t.Context()), errClosed)
	require.NoError(t, g.bus.Subscribe("t", 0, nil), "it is without effect")
}

// TestCloseFlushes: what was accepted is written before the goodbye, and acknowledged.
func TestCloseFlushes(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = func(*packets.Connect) *packets.Connack {
			one := uint16(1)
			return accepted(&packets.Properties{ReceiveMaximum: &one})
		}
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, Timeout: time.Minute})
	g.start()
	_, publisher := s.pair()
	g.begin(0, `1`)
	g.begin(0, `2`)
	closed := make(chan error)
	go func() { closed <- g.bus.Close(context.Background()) }()
	for range 2 {
		publisher.acknowledge(packets.PUBACK, next[*packets.Publish](publisher).PacketID, 0)
	}
	require.NoError(t, receive(t, closed))
	next[*packets.Disconnect](publisher)
}

// TestCloseWithoutAcknowledgements: what is written is not waited for for long, and is no error; what
// ended while the window was shut, neither.
func TestCloseWithoutAcknowledgements(t *testing.T) {
	for qos := byte(1); qos <= 2; qos++ {
		s := newScripted(t, func(s *scripted) {
			s.connack = allow(func(p *packets.Properties) { one := uint16(1); p.ReceiveMaximum = &one })
		})
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: qos, Timeout: 100 * time.Millisecond})
		g.start()
		_, publisher := s.pair()
		_, sent := g.begin(0, `1`)
		_, waits := g.begin(0, `2`)
		next[*packets.Publish](publisher)
		g.end(sent, core.Timeout)
		g.end(waits, core.NotPublished)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		began := time.Now()
		require.NoError(t, g.bus.Close(ctx))
		require.Less(t, time.Since(began), patience/2)
		next[*packets.Disconnect](publisher)
	}
}

// TestCloseWhileTheBrokerDies: the acknowledgement that it waits for will never come.
func TestCloseWhileTheBrokerDies(t *testing.T) {
	s := newScripted(t)
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, Timeout: time.Minute})
	g.start()
	_, publisher := s.pair()
	g.begin(0, `1`)
	next[*packets.Publish](publisher)
	c, err := g.bus.publishers[0].connection()
	require.NoError(t, err)
	closed := make(chan error)
	go func() { closed <- g.bus.Close(context.Background()) }()
	g.until(func() bool {
		c.outbox.mu.Lock()
		defer c.outbox.mu.Unlock()
		return c.idle != nil
	})
	s.dropAll()
	require.NoError(t, receive(t, closed))
}

// TestCloseGivesUp: what the broker does not take in time ends as not published.
func TestCloseGivesUp(t *testing.T) {
	s := newScripted(t, func(s *scripted) {
		s.connack = func(*packets.Connect) *packets.Connack {
			one := uint16(1)
			return accepted(&packets.Properties{ReceiveMaximum: &one})
		}
	})
	g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: 1, Timeout: time.Minute})
	g.start()
	_, publisher := s.pair()
	g.begin(0, `1`)
	next[*packets.Publish](publisher)
	_, done := g.begin(0, `2`)
	require.NoError(t, g.bus.PublishMessage(Message{Topic: "m", QoS: 2}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, g.bus.Close(ctx), "not everything was written")
	require.Contains(t, g.end(done, core.NotPublished).Message, "the connection to the broker has ended")
	stats := g.bus.Stats()
	require.EqualValues(t, 1, stats.Unsent)
	require.EqualValues(t, 1, stats.Dropped)
	require.Zero(t, stats.BacklogBytes)
}
