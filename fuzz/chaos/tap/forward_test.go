package tap

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func asNetError(err error, target *net.Error) bool { return errors.As(err, target) }

func TestForwards(t *testing.T) {
	r := newRig(t)
	out, in := message("a/treq", "question"), message("a/tres", "answer")
	r.client.say(out)
	require.Equal(t, out, r.server.hear())
	r.server.say(in, ack(0x10))
	require.Equal(t, in, r.client.hear())
	require.Equal(t, ack(0x10), r.client.hear())
	p := r.last()
	require.Equal(t, byte(0x10), p.Reason)
	require.Equal(t, uint16(7), p.PacketID)
	require.Equal(t, "gateway-p0", p.Client)
	require.Equal(t, 1, r.tap.Conns())

	require.NoError(t, r.client.CloseWrite())
	require.Equal(t, io.EOF, r.server.fails())
	r.server.say(in) // the other direction is still there
	require.Equal(t, in, r.client.hear())
	require.NoError(t, r.server.Close())
	require.Equal(t, io.EOF, r.client.fails())
	require.Equal(t, uint64(1), <-r.closed)
	told := r.told()
	require.Equal(t, "opened 1", told[0])
	for _, packet := range []string{">type 1", ">a/treq question", "<a/tres answer", "<type 4"} {
		seen, forwarding := slices.Index(told, "seen "+packet), slices.Index(told, "forwarding "+packet)
		require.Positive(t, seen)
		require.Greater(t, forwarding, seen)
	}
	require.Equal(t, "closed 1", told[len(told)-1])
	require.Zero(t, r.tap.Conns())
}

func TestFieldsOfAPublish(t *testing.T) {
	r := newRig(t)
	r.server.say(message("a/tres", "answer"))
	r.client.hear()
	p := r.last()
	require.Equal(t, Packet{
		Conn: 1, Client: "gateway-p0", Dir: ToClient, Type: typePublish, QoS: 1, PacketID: 7, Topic: "a/tres",
		Payload: []byte("answer"), CorrelationData: []byte("0123456789abcdef"), Raw: message("a/tres", "answer"),
	}, p)
}

func TestOlderVersion(t *testing.T) {
	r := newTap(t)
	client, server := r.connect(t)
	client.say(connect("old", 4), []byte("\x32\x0a\x00\x03a/b\x00\x05xyz"))
	server.hear()
	server.hear()
	p := r.last()
	require.Equal(t, "old", p.Client)
	require.Equal(t, "a/b", p.Topic)
	require.Equal(t, uint16(5), p.PacketID)
	require.Equal(t, "xyz", string(p.Payload))
}

func TestPartial(t *testing.T) {
	r := newRig(t)
	raw := message("a/treq", "question")
	r.client.say(raw[:len(raw)-3])
	require.NoError(t, r.client.SetLinger(0))
	require.NoError(t, r.client.CloseWrite())
	require.Equal(t, io.EOF, r.server.fails(), "nothing of it was forwarded")
	require.Contains(t, r.told(), "partial >a/treq quest 57 of 60")
}

func TestResetIsPassedOn(t *testing.T) {
	r := newRig(t)
	require.NoError(t, r.client.SetLinger(0))
	require.NoError(t, r.client.Close())
	require.ErrorIs(t, r.server.fails(), syscall.ECONNRESET)
	<-r.closed
}

func TestTooLargePacketEndsTheConnection(t *testing.T) {
	r := newRig(t)
	r.client.say([]byte{0x30, 0xff, 0xff, 0xff, 0x7f})
	require.Error(t, r.server.fails())
	<-r.closed
}

func TestMalformedLengthEndsTheConnection(t *testing.T) {
	r := newRig(t)
	r.client.say(bytes.Repeat([]byte{0xff}, 6))
	require.Error(t, r.server.fails())
	<-r.closed
}

func TestWhatCannotBeReadIsForwarded(t *testing.T) {
	r := newRig(t)
	for _, raw := range [][]byte{
		{0x30, 1, 9},                           // a PUBLISH without a topic
		{0x40, 0},                              // a PUBACK of nothing
		{0x32, 8, 0, 1, 'a', 0, 7, 2, 0x7e, 1}, // an unknown property
		{0x32, 10, 0, 1, 'a', 0, 7, 4, 1, 0, 9, 0}, // one that ends too early
	} {
		r.client.say(raw)
		require.Equal(t, raw, r.server.hear())
	}
}

func TestNoBroker(t *testing.T) {
	r := newTap(t)
	require.NoError(t, r.broker.Close())
	r.refuses(t)
	<-r.closed
}

func TestAnotherBroker(t *testing.T) {
	r := newTap(t)
	other, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer other.Close()
	r.tap.Broker(other.Addr().String())
	r.broker = other
	client, server := r.connect(t)
	client.say(ack(0))
	require.Equal(t, ack(0), server.hear())
}

func TestCloseEndsAll(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: Stall, Dir: ToBroker})
	r.client.say(ack(0))
	require.NoError(t, r.tap.Close())
	require.Error(t, r.client.fails())
	require.Error(t, r.server.fails())
	_, err := net.Dial("tcp", r.tap.Addr())
	require.Error(t, err)
}

func TestOptionsAreChecked(t *testing.T) {
	_, err := New(Options{Rand: rand.New(rand.NewPCG(1, 1))})
	require.Error(t, err)
	_, err = New(Options{Broker: "127.0.0.1:1"})
	require.Error(t, err)
	_, err = New(Options{Broker: "127.0.0.1:1", Rand: rand.New(rand.NewPCG(1, 1)), Listen: "nowhere:x"})
	require.Error(t, err)
}
