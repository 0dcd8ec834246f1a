package tap

import (
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCutShort(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: CutShort, Dir: ToBroker, Topic: "/treq"})
	r.client.say(message("a/treq", "question"))
	require.Error(t, r.server.fails())
	require.Error(t, r.client.fails())
	<-r.closed
	require.Contains(t, r.told(), "seen >a/treq question")
	require.NotContains(t, r.told(), "forwarding >a/treq question")
}

func TestReset(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: Reset, Dir: ToClient, Topic: "/tres"})
	r.server.say(message("a/other", "x"))
	r.client.hear()
	r.server.say(numbered(1))
	require.ErrorIs(t, r.client.fails(), syscall.ECONNRESET)
	require.ErrorIs(t, r.server.fails(), syscall.ECONNRESET)
}

func TestHalfClose(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: HalfClose, Dir: ToClient, Count: 1})
	r.server.say(numbered(1), numbered(2))
	require.Equal(t, io.EOF, r.client.fails())
	r.client.say(ack(0))
	require.Equal(t, ack(0), r.server.hear())
}

func TestStall(t *testing.T) {
	r := newRig(t)
	i := r.tap.Inject(Fault{Kind: Stall, Dir: ToClient, Client: "gateway"})
	r.server.say(numbered(1))
	r.client.silent()
	i.End()
	require.Equal(t, numbered(1), r.client.hear())
}

func TestSwallow(t *testing.T) {
	r := newRig(t)
	other, _ := r.connect(t)
	i := r.tap.Inject(Fault{Kind: Swallow})
	r.server.say(numbered(1))
	r.client.say(ack(0))
	r.client.silent()
	r.server.silent()
	i.End()
	require.ErrorIs(t, r.client.fails(), syscall.ECONNRESET)
	require.ErrorIs(t, r.server.fails(), syscall.ECONNRESET)
	other.silent() // it has lost nothing
	require.Contains(t, r.told(), "seen >type 4", "who wrote it has handed it over")
}

func TestRefuse(t *testing.T) {
	r := newRig(t)
	one, two := r.tap.Inject(Fault{Kind: Refuse}), r.tap.Inject(Fault{Kind: Refuse})
	_, err := net.Dial("tcp", r.tap.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	r.server.say(numbered(1))
	require.Equal(t, numbered(1), r.client.hear(), "connections that there are stay")
	one.End()
	_, err = net.Dial("tcp", r.tap.Addr())
	require.ErrorIs(t, err, syscall.ECONNREFUSED, "one of two is still on")
	two.End()
	client, server := r.connect(t)
	client.say(ack(0))
	require.Equal(t, ack(0), server.hear())
}

func TestSlam(t *testing.T) {
	r := newTap(t)
	i := r.tap.Inject(Fault{Kind: Slam})
	r.refuses(t)
	require.Equal(t, uint64(1), i.Hits())
}

func TestBreak(t *testing.T) {
	r := newRig(t)
	require.Zero(t, r.tap.Break(Reset, "another"))
	require.Equal(t, 1, r.tap.Break(HalfClose, "gateway"))
	require.Equal(t, io.EOF, r.client.fails())
	require.Equal(t, io.EOF, r.server.fails())
	r.client.say(numbered(1)) // is read and goes nowhere
	require.Equal(t, 1, r.tap.Break(Reset, ""))
	<-r.closed
}
