package broker

import (
	"bufio"
	"net"
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

func newBroker(t testing.TB, o Options) *Broker {
	b, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

// peer is a client that speaks MQTT by itself.
type peer struct {
	t testing.TB
	net.Conn
	in *bufio.Reader
}

func dial(t testing.TB, b *Broker) *peer {
	c, err := net.Dial("tcp", b.Addr())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return &peer{t: t, Conn: c, in: bufio.NewReader(c)}
}

// connect is a client that was accepted; change may be nil.
func connect(t testing.TB, b *Broker, id string, change func(*packets.Connect)) (*peer, *packets.Connack) {
	p := dial(t, b)
	hello := &packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: id, CleanStart: true, KeepAlive: 30, Properties: new(packets.Properties)}
	if change != nil {
		change(hello)
	}
	p.say(hello)
	return p, hear[*packets.Connack](p)
}

func (p *peer) say(packet packets.Packet) {
	p.t.Helper()
	_, err := packet.WriteTo(p.Conn)
	require.NoError(p.t, err)
}

// hear reads a packet that must be of a kind.
func hear[P packets.Packet](p *peer) P {
	p.t.Helper()
	require.NoError(p.t, p.SetReadDeadline(time.Now().Add(patience)))
	cp, err := packets.ReadPacket(p.in)
	require.NoError(p.t, err)
	packet, ok := cp.Content.(P)
	require.True(p.t, ok, "%v", cp)
	return packet
}

// ends waits for the end of the connection.
func (p *peer) ends() {
	p.t.Helper()
	require.NoError(p.t, p.SetReadDeadline(time.Now().Add(patience)))
	_, err := p.in.ReadByte()
	require.Error(p.t, err)
	if timeout, ok := err.(net.Error); ok {
		require.False(p.t, timeout.Timeout(), "it is still open")
	}
}

// reaches says that the broker has done all that was asked so far, and that nothing came of it.
func (p *peer) reaches() {
	p.t.Helper()
	p.say(new(packets.Pingreq))
	hear[*packets.Pingresp](p)
}

func (p *peer) subscribe(id int, options ...packets.SubOptions) []byte {
	p.t.Helper()
	s := &packets.Subscribe{PacketID: 9, Subscriptions: options, Properties: new(packets.Properties)}
	if id > 0 {
		s.Properties.SubscriptionIdentifier = &id
	}
	p.say(s)
	return hear[*packets.Suback](p).Reasons
}

func (p *peer) publish(topic, payload string, qos byte, change func(*packets.Publish)) {
	p.t.Helper()
	m := &packets.Publish{Topic: topic, Payload: []byte(payload), QoS: qos, Properties: new(packets.Properties)}
	if qos > 0 {
		m.PacketID = 5
	}
	if change != nil {
		change(m)
	}
	p.say(m)
}

// gets reads a message, which must have this payload.
func (p *peer) gets(payload string) *packets.Publish {
	p.t.Helper()
	m := hear[*packets.Publish](p)
	require.Equal(p.t, payload, string(m.Payload))
	return m
}

func kept(seconds uint32) func(*packets.Connect) {
	return func(c *packets.Connect) {
		c.CleanStart = false
		c.Properties.SessionExpiryInterval = &seconds
	}
}

// bytes reads a packet as it comes.
func (p *peer) bytes() []byte {
	p.t.Helper()
	require.NoError(p.t, p.SetReadDeadline(time.Now().Add(patience)))
	raw, err := frame.Read(p.in, 1<<20)
	require.NoError(p.t, err)
	return raw
}

// untilSubscribed waits until a client has so many subscriptions.
func (b *Broker) untilSubscribed(t testing.TB, client string, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		s := b.sessions[client]
		return s != nil && len(s.subs) == n
	}, patience, time.Millisecond)
}
