package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// dialWindow connects a client with MQTT 5, a Receive Maximum, a session that outlives him, and a
// Topic Alias Maximum.
func (g *gateway) dialWindow(id string, clean bool, maximum uint16) *wire {
	g.t.Helper()
	w, _ := g.dialWindowSession(id, clean, maximum)
	return w
}

func (g *gateway) dialWindowSession(id string, clean bool, maximum uint16) (w *wire, resumed bool) {
	g.t.Helper()
	w = g.wire()
	flags := byte(0)
	if clean {
		flags = 2
	}
	body := []byte{0, 4, 'M', 'Q', 'T', 'T', 5, flags, 0, 0, 11, 0x22, 0, 5, 0x11, 0, 0, 0, 99, 0x21}
	w.send(0x10, append(binary.BigEndian.AppendUint16(body, maximum), text(id)...))
	kind, body := w.next()
	require.Equal(g.t, byte(0x20), kind)
	require.Zero(g.t, body[1], "the broker refused")
	return w, body[0] == 1
}

// subscribe5 is subscribe in MQTT 5.
func (w *wire) subscribe5(topic string, qos byte) {
	w.t.Helper()
	w.send(0x82, append(append([]byte{0, 9, 0}, text(topic)...), qos))
	kind, body := w.next()
	require.Equal(w.t, byte(0x90), kind)
	require.Equal(w.t, []byte{0, 9, 0, qos}, body)
}

// split5 takes a PUBLISH of MQTT 5 apart.
func split5(kind byte, body []byte) (id []byte, payload []byte) {
	n := 2 + int(binary.BigEndian.Uint16(body))
	if kind&6 != 0 {
		id = body[n : n+2]
		n += 2
	}
	size, bytes := binary.Uvarint(body[n:])
	return id, body[n+bytes+int(size):]
}

// respond5 acknowledges every request and answers it with its own value, until the connection ends.
func (w *wire) respond5() (stopped <-chan struct{}) {
	w.t.Helper()
	w.subscribe5("a/treq", 1)
	return w.answering(func(kind byte, body []byte) error {
		id, payload := split5(kind, body)
		answer, err := echo(payload)
		if err != nil {
			return err
		}
		return errors.Join(w.put(0x40, id), w.put(0x30, append(append(text("a/tres"), 0), answer...)))
	})
}

// Whoever states a Receive Maximum, acknowledges and answers while others publish to him is given
// everything. The broker's own flow control stopped within a second under this, for ever, and
// with it whoever published.
func TestAcknowledgingWhilePublishing(t *testing.T) {
	for _, maximum := range []uint16{20, 5000} {
		t.Run(fmt.Sprint("Receive Maximum ", maximum), func(t *testing.T) {
			g := newGateway(t, Options{}, core.NodeOptions{QoS: 1})
			var responders []*wire
			var stopped []<-chan struct{}
			for i := range 3 {
				w := g.dialWindow(strconv.Itoa(i), true, maximum)
				responders, stopped = append(responders, w), append(stopped, w.respond5())
			}
			const publishers, each, held = 8, 500, 100
			finished := make(chan struct{})
			var publishing sync.WaitGroup
			for range publishers {
				publishing.Go(func() {
					var window []completions
					for i := range each {
						_, done := g.begin(strconv.Itoa(i))
						if window = append(window, done); len(window) == held {
							<-window[0]
							window = window[1:]
						}
					}
					for _, done := range window {
						<-done
					}
				})
			}
			go func() {
				publishing.Wait()
				close(finished)
			}()
			receive(t, finished)
			for i, w := range responders {
				w.conn.Close()
				<-stopped[i]
			}
			require.Zero(t, g.broker.Stats().Dropped)
		})
	}
}

// next5 reads a PUBLISH of MQTT 5.
func (w *wire) next5() (id []byte, payload string) {
	w.t.Helper()
	kind, body := w.next()
	require.Equal(w.t, byte(0x30), kind&0xf0)
	require.NotZero(w.t, binary.BigEndian.Uint16(body), "a topic alias instead of the topic")
	id, p := split5(kind, body)
	return id, string(p)
}

// nothing makes sure that nothing has been sent: a PINGRESP is next.
func (w *wire) nothing() {
	w.t.Helper()
	w.send(0xc0, nil)
	kind, _ := w.next()
	require.Equal(w.t, byte(0xd0), kind)
}

// A client is never given more than he takes at once, and in the end everything, in order.
func TestReceiveMaximumOfClients(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dialWindow("two", true, 2)
	w.subscribe5("foo", 2)
	send := func(qos byte, payload string) {
		require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: "foo", QoS: qos, Payload: []byte(payload)}))
	}
	for i := range 8 {
		send(1+byte(i)%2, strconv.Itoa(i)) // even: QoS 1, odd: QoS 2
	}
	send(0, "overtakes")
	ids := map[string][]byte{}
	expect := func(payload string) {
		t.Helper()
		id, got := w.next5()
		require.Equal(t, payload, got)
		ids[got] = id
	}
	expect("0")
	expect("1")
	expect("overtakes")
	w.nothing()
	w.send(0x40, ids["0"]) // PUBACK
	expect("2")
	w.send(0x40, ids["0"]) // again, and one for nothing
	w.send(0x40, []byte{99, 99})
	w.nothing()
	w.send(0x50, ids["1"]) // PUBREC: the message is on its way until PUBCOMP
	kind, _ := w.next()
	require.Equal(t, byte(0x62), kind, "PUBREL is not held back")
	w.nothing()
	w.send(0x70, ids["1"])
	expect("3")
	w.send(0x50, append(ids["3"], 0x80)) // PUBREC with an error is the end of it
	expect("4")
	w.nothing()
	w.send(0x40, ids["2"])
	expect("5")
	w.send(0x40, ids["4"])
	expect("6")
	w.send(0x50, append(ids["5"], 0x80))
	expect("7")
	w.nothing()
	w.send(0x40, ids["6"])
	w.send(0x50, append(ids["7"], 0x80))
	w.nothing()
	g.until(func() bool { return g.broker.Stats().BacklogBytes == 0 })
	require.Zero(t, g.broker.Stats().Dropped)
}

// Who comes back is sent again what he has not acknowledged, and what never left; his new
// connection has a window of its own.
func TestReceiveMaximumOfSessions(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dialWindow("comes back", false, 3)
	w.subscribe5("foo", 1)
	const messages = 10
	g.flood("foo", 1, messages, 1)
	for range 3 {
		w.next5()
	}
	w.nothing()
	for maximum := uint16(1); maximum < 3; maximum++ { // the second time, the session was taken over
		var resumed bool
		w, resumed = g.dialWindowSession("comes back", false, maximum)
		require.True(t, resumed)
		var id []byte
		for range maximum {
			id, _ = w.next5()
		}
		w.nothing()
		if maximum == 2 {
			w.send(0x40, id)
		}
	}
	for range messages - 2 {
		id, _ := w.next5()
		w.send(0x40, id)
	}
	w.nothing()
	w.conn.Close()
	g.until(func() bool { return g.broker.Stats().Clients == 0 })
	require.EqualValues(t, ackOverhead+len("foo")+1, g.broker.Stats().BacklogBytes, "one is not acknowledged")
}

// What waits for a window counts as what waits to be written, and is given back with it.
func TestWindowAndBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		packet := []byte{0x32, 7, 0, 1, 'a', 0, 1, 'x', 'y'}
		for _, end := range []string{"closed", "given up", "too much"} {
			c, far, slow, ended := ends(40)
			c.window.open(1)
			for range 4 {
				_, err := c.Write(packet)
				require.NoError(t, err)
			}
			_, err := io.ReadFull(far, make([]byte, len(packet)))
			require.NoError(t, err)
			synctest.Wait()
			require.Equal(t, 3*len(packet), c.held())
			switch end {
			case "closed":
				require.NoError(t, c.Close())
			case "given up":
				require.True(t, c.giveUp(errMute))
			case "too much":
				_, err := c.Write(make([]byte, 14))
				require.ErrorIs(t, err, errSlow)
				require.Equal(t, 3*len(packet), <-slow)
			}
			c.acknowledge(1)
			require.Zero(t, c.held(), end)
			require.Zero(t, c.budget.held.Load(), end)
			rest, err := io.ReadAll(far)
			require.NoError(t, err)
			require.Empty(t, rest, "what waits is for those who acknowledge")
			<-ended
		}
	})
}

// The packet id is found wherever the length of the packet and of the topic put it.
func TestPacketID(t *testing.T) {
	for _, size := range []int{1, 200, 40_000} {
		var w bytes.Buffer
		pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: 1}, ProtocolVersion: 5, TopicName: strings.Repeat("t", size), PacketID: 4711, Payload: make([]byte, size)}
		require.NoError(t, pk.PublishEncode(&w))
		require.True(t, acknowledged(w.Bytes()))
		require.EqualValues(t, 4711, packetID(w.Bytes()))
	}
}

// Answering does not count as publishing in QoS 2. The broker took each PUBREC of a client for a
// message that it had from him, and disconnected who then published.
func TestAnsweringAmidQoS2(t *testing.T) {
	const requests = 3000
	g := newGateway(t, Options{}, core.NodeOptions{QoS: 2})
	w := g.dial("responder", true)
	w.subscribe("a/treq", 2)
	var done []completions
	for range requests {
		_, d := g.begin(`1`)
		done = append(done, d)
	}
	var answers, released [][]byte
	for len(released) < requests { // PUBREC for all, PUBCOMP for none
		kind, body := w.next()
		if kind == 0x62 {
			released = append(released, body)
			continue
		}
		require.Equal(t, byte(0x34), kind)
		_, request := split(kind, body)
		answers = append(answers, answerTo(request, `2`))
		n := 2 + len("a/treq")
		w.send(0x50, body[n:n+2])
	}
	for _, a := range answers {
		w.publish(0, "a/tres", a)
	}
	for _, id := range released {
		w.send(0x70, id)
	}
	for _, d := range done {
		g.end(d, core.Answered)
	}
	g.until(func() bool { return g.broker.Stats().BacklogBytes == 0 })
}

// A client may send so many messages of QoS 2 as he was told, and is disconnected beyond.
func TestUnreleasedIsBounded(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dial("careless", false)
	publish := func(id uint16) {
		w.send(0x34, append(binary.BigEndian.AppendUint16(text("foo"), id), "x"...))
	}
	for id := range uint16(receiveMaximum) {
		publish(id + 1)
		kind, _ := w.next()
		require.Equal(t, byte(0x50), kind)
	}
	w.send(0x62, []byte{0, 1}) // PUBREL
	kind, _ := w.next()
	require.Equal(t, byte(0x70), kind)
	publish(receiveMaximum + 1)
	kind, _ = w.next()
	require.Equal(t, byte(0x50), kind)
	w.nothing()
	publish(receiveMaximum + 2)
	_, _, err := w.read()
	require.ErrorIs(t, err, io.EOF)

	w = g.dialWindow("told", true, 1)
	for id := range uint16(receiveMaximum + 1) {
		w.send(0x34, append(append(binary.BigEndian.AppendUint16(text("foo"), id+1), 0), "x"...))
	}
	kind, body := w.next()
	for kind == 0x50 {
		kind, body = w.next()
	}
	require.Equal(t, byte(0xe0), kind)
	require.Equal(t, byte(0x93), body[0], "receive maximum exceeded")
}
