package tap

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/fuzz/chaos/tap/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for something that must happen.
const patience = 10 * time.Second

// side is one end of a connection through the tap.
type side struct {
	t testing.TB
	*net.TCPConn
	in *bufio.Reader
}

func newSide(t testing.TB, c net.Conn) *side {
	t.Cleanup(func() { c.Close() })
	return &side{t: t, TCPConn: c.(*net.TCPConn), in: bufio.NewReader(c)}
}

// say writes bytes.
func (s *side) say(raw ...[]byte) {
	s.t.Helper()
	_, err := s.Write(bytes.Join(raw, nil))
	require.NoError(s.t, err)
}

// hear reads one packet.
func (s *side) hear() []byte {
	s.t.Helper()
	require.NoError(s.t, s.SetReadDeadline(time.Now().Add(patience)))
	raw, err := frame.Read(s.in, 1<<20)
	require.NoError(s.t, err)
	return raw
}

// fails waits for the end of the connection.
func (s *side) fails() error {
	s.t.Helper()
	require.NoError(s.t, s.SetReadDeadline(time.Now().Add(patience)))
	_, err := frame.Read(s.in, 1<<20)
	require.Error(s.t, err)
	var timeout net.Error
	if ok := asNetError(err, &timeout); ok {
		require.False(s.t, timeout.Timeout(), "it is still open")
	}
	return err
}

// silent says that nothing comes for a moment.
func (s *side) silent() {
	s.t.Helper()
	require.NoError(s.t, s.SetReadDeadline(time.Now().Add(30*time.Millisecond)))
	_, err := s.in.Peek(1)
	var timeout net.Error
	require.True(s.t, asNetError(err, &timeout) && timeout.Timeout(), "%v", err)
}

// notes is what hooks were told.
type notes struct {
	mu      sync.Mutex
	lines   []string
	packets []Packet // forwarded ones; their slices are copies
	closed  chan uint64
}

func (n *notes) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notes) hooks() Hooks {
	n.closed = make(chan uint64, 100)
	return Hooks{
		Opened: func(c uint64) { n.note("opened %d", c) },
		Seen:   func(p *Packet) { n.note("seen %s", name(p)) },
		Forwarding: func(p *Packet) {
			n.note("forwarding %s", name(p))
			own := *p
			own.Raw, own.Payload = bytes.Clone(p.Raw), bytes.Clone(p.Payload)
			n.mu.Lock()
			n.packets = append(n.packets, own)
			n.mu.Unlock()
		},
		Partial: func(p *Packet, got, length int) { n.note("partial %s %d of %d", name(p), got, length) },
		Closed:  func(c uint64) { n.note("closed %d", c); n.closed <- c },
	}
}

// told returns what was told so far.
func (n *notes) told() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.lines...)
}

// last is the packet that was forwarded last.
func (n *notes) last() Packet {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.packets[len(n.packets)-1]
}

func name(p *Packet) string {
	arrow := map[Dir]string{ToBroker: ">", ToClient: "<"}[p.Dir]
	switch p.Type {
	case typePublish:
		return fmt.Sprintf("%s%s %s", arrow, p.Topic, p.Payload)
	default:
		return fmt.Sprintf("%stype %d", arrow, p.Type)
	}
}

// rig is a tap with one connection through it.
type rig struct {
	notes
	tap            *Tap
	broker         net.Listener
	client, server *side
}

// newTap starts a tap in front of a listener.
func newTap(t testing.TB) *rig {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &rig{broker: l}
	r.tap, err = New(Options{Broker: l.Addr().String(), Rand: rand.New(rand.NewPCG(1, 2)), Hooks: r.hooks()})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, r.tap.Close())
		l.Close()
	})
	return r
}

// newRig has a client that has connected as "gateway-p0".
func newRig(t testing.TB) *rig {
	r := newTap(t)
	r.client, r.server = r.connect(t)
	hello := connect("gateway-p0", 5)
	r.client.say(hello)
	require.Equal(t, hello, r.server.hear())
	return r
}

func (r *rig) connect(t testing.TB) (client, server *side) {
	c, err := net.Dial("tcp", r.tap.Addr())
	require.NoError(t, err)
	client = newSide(t, c)
	s, err := r.broker.Accept()
	require.NoError(t, err)
	return client, newSide(t, s)
}

// refuses says that a new connection is reset: while it is made, or after.
func (r *rig) refuses(t testing.TB) {
	c, err := net.Dial("tcp", r.tap.Addr())
	if err == nil {
		err = newSide(t, c).fails()
	}
	require.ErrorIs(t, err, syscall.ECONNRESET)
}

// pack is a packet as bytes.
func pack(p packets.Packet) []byte {
	var b bytes.Buffer
	_, _ = p.WriteTo(&b)
	return b.Bytes()
}

func connect(id string, version byte) []byte {
	raw := pack(&packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: id, KeepAlive: 30, Properties: new(packets.Properties)})
	if version == 5 {
		return raw
	}
	old := append(bytes.Clone(raw[:12]), raw[13:]...) // without its properties
	old[1]--
	old[8] = version
	return old
}

// message is a PUBLISH of QoS 1.
func message(topic, payload string) []byte {
	return pack(&packets.Publish{Topic: topic, QoS: 1, PacketID: 7, Payload: []byte(payload), Properties: &packets.Properties{
		CorrelationData: []byte("0123456789abcdef"), ContentType: "text/plain", User: []packets.User{{Key: "a", Value: "b"}},
	}})
}

func ack(reason byte) []byte {
	return pack(&packets.Puback{PacketID: 7, ReasonCode: reason, Properties: new(packets.Properties)})
}
