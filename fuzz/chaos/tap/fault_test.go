package tap

import (
	"bytes"
	"fmt"
	"io"
	"math/bits"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// numbered are messages that tell each other apart.
func numbered(n int) []byte { return message("a/tres", fmt.Sprintf("%03d", n)) }

func TestDrop(t *testing.T) {
	r := newRig(t)
	i := r.tap.Inject(Fault{Kind: Drop, Dir: ToClient, Topic: "/tres", Count: 1})
	r.server.say(message("a/tend", "end"), numbered(1), numbered(2))
	require.Equal(t, message("a/tend", "end"), r.client.hear())
	require.Equal(t, numbered(2), r.client.hear())
	require.Equal(t, uint64(1), i.Hits())
	i.End()
	i.End()
}

func TestOnlyWhatMatchesIsHit(t *testing.T) {
	r := newRig(t)
	for _, f := range []Fault{
		{Kind: Drop, Dir: ToBroker},
		{Kind: Drop, Client: "another"},
		{Kind: Drop, Type: typePubrec},
		{Kind: Drop, Topic: "/treq"},
		{Kind: CorruptPayload, Type: typePuback},
		{Kind: RewriteAck, Topic: "/tres"},
		{Kind: RewriteAck, Type: typePublish},
	} {
		defer r.tap.Inject(f).End()
	}
	defer r.tap.Inject(Fault{Kind: Drop, Dir: ToBroker}).End()
	r.server.say(numbered(1), ack(0))
	require.Equal(t, numbered(1), r.client.hear())
	require.Equal(t, ack(0), r.client.hear())
}

func TestConnectIsHitOnlyWhereItIsMeant(t *testing.T) {
	r := newRig(t)
	all := r.tap.Inject(Fault{Kind: Drop})
	client, server := r.connect(t)
	client.say(connect("second", 5))
	server.hear()
	require.Zero(t, all.Hits())
	all.End()
	meant := r.tap.Inject(Fault{Kind: Drop, Type: typeConnect, Client: "third"})
	client, server = r.connect(t)
	client.say(connect("third", 5), ack(0))
	require.Equal(t, ack(0), server.hear())
	require.Equal(t, uint64(1), meant.Hits())
}

// The same seed and the same packets: the same packets are hit.
func TestRateIsRepeatable(t *testing.T) {
	run := func() (got []string) {
		r := newRig(t)
		r.tap.Inject(Fault{Kind: Drop, Rate: 0.3, Topic: "/tres"})
		for n := range 200 {
			r.server.say(numbered(n))
		}
		r.server.say(ack(0))
		for {
			raw := r.client.hear()
			if raw[0]>>4 == typePuback {
				return got
			}
			got = append(got, string(raw))
		}
	}
	first := run()
	require.Greater(t, len(first), 100)
	require.Less(t, len(first), 180)
	require.Equal(t, first, run())
}

func TestDelay(t *testing.T) {
	r := newRig(t)
	const delay = 40 * time.Millisecond
	i := r.tap.Inject(Fault{Kind: Delay, Dir: ToClient, Delay: delay, Jitter: time.Millisecond, Count: 1})
	began := time.Now()
	r.server.say(numbered(1), numbered(2))
	require.Equal(t, numbered(1), r.client.hear())
	require.GreaterOrEqual(t, time.Since(began), delay)
	require.Equal(t, numbered(2), r.client.hear(), "what is behind waits too")
	require.Equal(t, uint64(1), i.Hits())
}

func TestDuplicate(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: Duplicate, Dir: ToClient, Count: 1})
	r.server.say(numbered(1), numbered(2))
	require.Equal(t, numbered(1), r.client.hear())
	require.Equal(t, numbered(1), r.client.hear())
	require.True(t, r.packets[2].Copy)
	require.Equal(t, numbered(2), r.client.hear())
}

func TestReorder(t *testing.T) {
	r := newRig(t)
	i := r.tap.Inject(Fault{Kind: Reorder, Dir: ToClient, Count: 1, Delay: patience})
	r.server.say(numbered(1), numbered(2), numbered(3))
	for _, n := range []int{2, 1, 3} {
		require.Equal(t, numbered(n), r.client.hear())
	}
	i.End()
	r.tap.Inject(Fault{Kind: Reorder, Dir: ToClient, Count: 2, Delay: time.Millisecond})
	r.server.say(numbered(4))
	require.Equal(t, numbered(4), r.client.hear(), "nothing is behind it")
	require.NoError(t, r.server.CloseWrite())
	require.Equal(t, io.EOF, r.client.fails())
}

func TestReorderBeforeTheEnd(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: Reorder, Dir: ToClient, Delay: patience})
	r.server.say(numbered(1))
	require.NoError(t, r.server.CloseWrite())
	require.Equal(t, numbered(1), r.client.hear())
	require.Equal(t, io.EOF, r.client.fails())
}

// changed counts the bits that differ, and says where the first one does.
func changed(a, b []byte) (count, first int) {
	first = -1
	for i := range a {
		if n := bits.OnesCount8(a[i] ^ b[i]); n > 0 {
			count += n
			if first < 0 {
				first = i
			}
		}
	}
	return count, first
}

func TestCorruptPayload(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: CorruptPayload, Dir: ToClient})
	r.server.say(numbered(1))
	got := r.client.hear()
	count, first := changed(numbered(1), got)
	require.Equal(t, 1, count)
	require.GreaterOrEqual(t, first, len(got)-3)
	p := r.last()
	require.True(t, p.Tampered)
	require.False(t, p.Broken)
	require.Equal(t, got[len(got)-3:], p.Payload)
	require.Equal(t, "001", string(p.Was.Payload))
}

func TestCorruptFraming(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: CorruptFraming, Dir: ToClient, Type: typePublish})
	got := make([]byte, len(numbered(1)))
	r.server.say(numbered(1))
	require.NoError(t, r.client.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.ReadFull(r.client, got)
	require.NoError(t, err)
	count, first := changed(numbered(1), got)
	require.Equal(t, 1, count)
	require.Less(t, first, len(got)-3)
	require.True(t, r.last().Tampered)
}

func TestDropBytes(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: DropBytes, Dir: ToClient, Bytes: 4})
	r.server.say(numbered(1))
	require.NoError(t, r.server.CloseWrite())
	require.NoError(t, r.client.SetReadDeadline(time.Now().Add(patience)))
	got, err := io.ReadAll(r.client)
	require.NoError(t, err)
	require.Len(t, got, len(numbered(1))-4)
	p := r.last()
	require.True(t, p.Broken)
	require.Equal(t, "a/tres", p.Topic, "what it was")
	require.Equal(t, got, p.Raw)
}

func TestTwiceTampered(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: DropBytes, Dir: ToClient, Bytes: 1000})
	r.tap.Inject(Fault{Kind: CorruptFraming, Dir: ToClient})
	r.server.say(numbered(1))
	require.NoError(t, r.server.CloseWrite())
	require.Equal(t, io.EOF, r.client.fails())
	require.Equal(t, "001", string(r.last().Was.Payload))
}

func TestRewriteAck(t *testing.T) {
	r := newRig(t)
	r.tap.Inject(Fault{Kind: RewriteAck, Reason: 0x97})
	r.server.say(ack(0))
	require.Equal(t, []byte{0x40, 3, 0, 7, 0x97}, r.client.hear())
	require.Equal(t, byte(0x97), r.last().Reason)
}

func TestSplitAndThrottle(t *testing.T) {
	r := newRig(t)
	split := r.tap.Inject(Fault{Kind: Split, Dir: ToClient})
	r.server.say(numbered(1))
	require.Equal(t, numbered(1), r.client.hear())
	split.End()
	const perSecond = 2000
	throttle := r.tap.Inject(Fault{Kind: Throttle, Dir: ToClient, Bytes: perSecond})
	large := message("a/tres", string(bytes.Repeat([]byte{'x'}, 200)))
	began := time.Now()
	r.server.say(large)
	require.Equal(t, large, r.client.hear())
	require.GreaterOrEqual(t, time.Since(began), 100*time.Millisecond)
	throttle.End()
}

func TestFaultsAreChecked(t *testing.T) {
	r := newTap(t)
	for _, f := range []Fault{{}, {Kind: kindEnd}, {Kind: Drop, Dir: 4}, {Kind: Drop, Rate: 2}, {Kind: Drop, Count: -1}, {Kind: Throttle}} {
		require.Panics(t, func() { r.tap.Inject(f) }, "%+v", f)
	}
	require.Equal(t, "cut-short", CutShort.String())
	require.Equal(t, "kind(99)", Kind(99).String())
}
