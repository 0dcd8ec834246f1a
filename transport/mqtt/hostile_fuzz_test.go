package mqtt

import (
	"bytes"
	"context"
	"net"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// FuzzHostile plays a broker that does what its program says, on the real connections of a bus with
// an engine: answers of every kind to requests of two nodes, acknowledgements, any bytes. Every
// transaction ends once, answered only with a value that was sent with its own id; as long as the
// broker keeps to the rules, with the first one; the bus closes, nothing of it is left (goleak
// looks, in TestMain), and no length is believed before its bytes are there.
func FuzzHostile(f *testing.F) {
	const begin, answer, raw, ack, mutated, bye, look = 0, 1, 2, 3, 4, 5, 6
	f.Add([]byte{0, 0, begin, 0, begin, 1, look, answer, 0, 0, 7, answer, 1, 1, 8})
	f.Add([]byte{0, 0, begin, 1, look, ack, 4, 1, 0x10, answer, 0, 2, 3, answer, 0, 2 | 8, 3, look, begin, 1, look, ack, 4, 2, 0x87})
	f.Add([]byte{0, 0, begin, 0, answer, 0, 4, 1, answer, 0, 16, 2, answer, 0, 32, 3, answer, 0, 64, 4, answer, 0, 0, 5})
	f.Add([]byte{0, 0, begin, 0, answer, 0, 128, 1, answer, 0, 128 + 64 + 1, 2, answer, 0, 32 + 64, 3, answer, 0, 16 + 1, 4, answer, 0, 1, 5})
	f.Add([]byte{0, 0, begin, 0, begin, 0, mutated, 0, 0, 1, 9, 3, mutated, 1, 1, 2, 40, 255, bye, 0, 0x8e, begin, 0})
	f.Add([]byte{0, 0, begin, 0, raw, 0, 6, 0x30, 0xff, 0xff, 0xff, 0x7f, 1, begin, 1, raw, 1, 3, 0x40, 1, 1})
	f.Add([]byte{1, 0, 5, 0x20, 3, 0, 0x87, 0})                    // the first connection is refused
	f.Add([]byte{0, 1, 4, 0x20, 2, 0, 0})                          // the second answers like MQTT 3.1.1
	f.Add([]byte{2, 2, begin, 1, look, ack, 4, 1, 0, begin, 1})    // few in flight, no QoS 1, a small packet
	f.Add([]byte{3, 3, begin, 0, begin, 1, answer, 0, 0, 1, look}) // session present, no identifiers
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 1000 {
			return
		}
		before := allocatedSoFar()
		b := newHostile(t, program)
		b.play()
		b.finish()
		require.Less(t, allocatedSoFar()-before, uint64(16<<20), "bytes were allocated for %d", len(program))
	})
}

func allocatedSoFar() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// hostile is the broker, and the bus that it plays with.
type hostile struct {
	t       *testing.T
	program program
	listen  net.Listener
	running sync.WaitGroup
	bus     *Bus
	engine  *core.Engine
	asked   []*asked
	sent    []byte // everything that the program has sent to the answer connection
	honest  bool   // until now the broker has kept to the rules

	mu    sync.Mutex        // guards all below
	conns [2]*hostileClient // that of answers, that of requests; the first of each
	extra []net.Conn
}

// asked is a transaction.
type asked struct {
	id    core.ID
	topic string
	done  completions
	first []byte // the value of the first answer that should end it
}

func newHostile(t *testing.T, p program) *hostile {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	h := &hostile{t: t, program: p, listen: l}
	greetings := [2][]byte{h.greeting(), h.greeting()}
	h.honest = !bytes.Contains(bytes.Join(greetings[:], nil), []byte("!"))
	h.running.Go(func() { h.accept(greetings) })
	h.bus, err = Dial(Options{URL: "mqtt://" + l.Addr().String(), MaxPacket: 64 << 10, DialTimeout: time.Second, ClientID: "x", Logger: quiet()})
	require.NoError(t, err)
	h.engine, err = core.New(h.bus, core.Options{Shards: 2})
	require.NoError(t, err)
	for qos, topic := range []string{"a", "b"} {
		_, err := h.engine.AddNode(core.NodeOptions{Name: topic, Topic: topic, QoS: byte(qos), Timeout: time.Minute})
		require.NoError(t, err)
	}
	patient := patience
	if !h.honest {
		patient = 20 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	err = h.bus.Start(ctx)
	require.True(t, err == nil || !h.honest, "%v", err)
	return h
}

func (h *hostile) play() {
	for len(h.program) > 0 && len(h.asked) < 20 {
		switch h.program.next() % 7 {
		case 0:
			h.begin(int(h.program.next() % 2))
		case 1:
			h.write(0, h.answer('v'))
		case 2:
			h.honest = false
			h.write(int(h.program.next()%2), h.program.some())
		case 3:
			h.acknowledge()
		case 4:
			h.honest = false
			packet := h.answer('m')
			for range h.program.next() % 4 {
				at, with := int(h.program.next())+int(h.program.next()), h.program.next()
				if len(packet) > 0 {
					packet[at%len(packet)] ^= with
				}
			}
			h.write(0, packet)
		case 5:
			h.honest = false
			h.write(int(h.program.next()%2), []byte{0xe0, 2, h.program.next(), 0})
		case 6:
			h.look()
		}
	}
}

func (h *hostile) begin(node int) {
	x := &asked{done: make(completions, 1), topic: h.engine.Nodes()[node].Topic()}
	x.id = h.engine.Begin(&core.Call{Node: h.engine.Nodes()[node], Value: []byte("1")}, x.done)
	h.asked = append(h.asked, x)
}

// answer is a PUBLISH that answers one of the requests, rightly or not: flags are QoS, 4 other
// topic, 8 repeated, 16 retained, 32 another id, 64 the id as Correlation Data, 128 another one there.
// Its value begins with kind, or with w if it must not answer anything.
func (h *hostile) answer(kind byte) []byte {
	which, flags, tag := int(h.program.next()), h.program.next(), h.program.next()
	if len(h.asked) == 0 {
		return nil
	}
	x := h.asked[which%len(h.asked)]
	id, topic := x.id, x.topic
	if flags&4 != 0 {
		topic = map[string]string{"a": "b", "b": "a"}[topic]
	}
	if flags&32 != 0 {
		id[15]++
	}
	p := &packets.Publish{
		Topic: topic + "/tres", QoS: flags & 3 % 3, Duplicate: flags&8 != 0 && flags&3%3 > 0, Retain: flags&16 != 0,
		Properties: &packets.Properties{},
	}
	if p.QoS > 0 {
		p.PacketID = 1 + uint16(tag)
	}
	wrong := flags&(4|16|32|128) != 0
	if wrong && kind == 'v' {
		kind = 'w'
	}
	value := []byte{'"', kind, 'a' + tag%26, '"'}
	if flags&128 != 0 {
		other := id
		other[7] ^= 1
		p.Properties.CorrelationData = other[:]
		p.Payload = core.AppendRequest(nil, id, 1, value)
	} else if flags&64 != 0 {
		p.Properties.CorrelationData = id[:]
		p.Payload = append(append([]byte(`{"value":`), value...), '}')
	} else {
		p.Payload = core.AppendRequest(nil, id, 1, value)
	}
	if !wrong && x.first == nil && h.honest { // with DUP, too: QoS 1 is delivered as it comes
		x.first = value
	}
	var packet bytes.Buffer
	_, err := p.ToControlPacket().WriteTo(&packet)
	require.NoError(h.t, err)
	return packet.Bytes()
}

// acknowledge sends an acknowledgement of any kind.
func (h *hostile) acknowledge() {
	h.honest = false // it may be of what was never sent, and say no
	kind := 4 + h.program.next()%4
	first := kind << 4
	if kind == packets.PUBREL {
		first |= 2
	}
	h.write(1, []byte{first, 3, 0, h.program.next(), h.program.next()})
}

// look waits a moment for a request, so that what comes next is about one that was sent.
func (h *hostile) look() {
	h.mu.Lock()
	c := h.conns[1]
	h.mu.Unlock()
	if c == nil || !h.honest {
		return
	}
	select {
	case <-c.published:
	case <-time.After(5 * time.Millisecond):
	}
}

// finish waits for what must be answered, closes everything, and judges.
func (h *hostile) finish() {
	for _, x := range h.asked {
		if h.honest && x.first != nil && !x.id.IsZero() {
			r := receive(h.t, x.done)
			h.judge(x, &r)
			if r.Outcome != core.NotPublished { // it does not fit into what the broker takes
				require.Equal(h.t, core.Answered, r.Outcome, "%s", r.Message)
				require.Equal(h.t, string(x.first), string(r.Value))
			}
			x.done <- r
		}
	}
	require.NoError(h.t, h.engine.Close())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	closed := make(chan struct{})
	go func() { h.bus.Close(ctx); close(closed) }()
	receive(h.t, closed)
	_ = h.listen.Close()
	h.mu.Lock()
	for _, c := range h.extra {
		_ = c.Close()
	}
	h.mu.Unlock()
	h.running.Wait()
	for _, x := range h.asked {
		r := receive(h.t, x.done)
		require.Empty(h.t, x.done, "it ended twice")
		h.judge(x, &r)
	}
}

// judge: nothing is answered but by its own id.
func (h *hostile) judge(x *asked, r *core.Result) {
	require.NotZero(h.t, r.Outcome)
	require.Equal(h.t, x.id, r.ID)
	if r.Outcome != core.Answered {
		return
	}
	require.Contains(h.t, string(h.sent), string(r.Value))
	require.NotContains(h.t, string(r.Value), `"w`, "answered by what is no answer")
	text := bytes.Contains(bytes.ToLower(h.sent), []byte(x.id.String()))
	require.True(h.t, text || bytes.Contains(h.sent, x.id[:]), "answered, and its id was never sent")
}
