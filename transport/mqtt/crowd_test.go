package mqtt

import (
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// flood publishes requests of a node until one is shed, and says how many were accepted.
func (w *wire) flood(rt *route) (accepted int) {
	for ; ; accepted++ {
		if err := w.request(rt, &w.r); err != nil {
			require.ErrorIs(w.t, err, core.ErrShed)
			return accepted
		}
	}
}

// A node that floods a connection leaves room for the others on it; their requests leave after
// what was accepted before, and when all is written there is nothing left on any account.
func TestFloodLeavesRoom(t *testing.T) {
	for _, qos := range []byte{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			defer w.Close()
			w.backlog = minBacklog
			w.setLimits(limits{packet: maxMaxPacket, qos: 2, receiveMaximum: 65535})
			w.ask(0) // the writer is busy from now on
			size := w.waiting
			first, second, quiet := newRoute(w.r.Node), newRoute(w.r.Node), newRoute(w.r.Node)
			for _, rt := range []*route{first, second, quiet} {
				rt.qos = qos
			}
			w.r.ID = core.ID{0: 1, 15: 1}
			alone := w.flood(first)
			require.InDelta(t, 0.75*minBacklog, alone*size, 0.05*minBacklog)
			require.Greater(t, w.flood(second)*size, minBacklog/8)
			require.NoError(t, w.message(&Message{Topic: "m", QoS: qos}))
			w.r.ID = core.ID{0: 1, 15: 2}
			require.NoError(t, w.request(quiet, &w.r), "it is shed because others flood")
			w.written()
			for last := byte(0); last != 2; {
				got := w.written()
				last = got[len(got)-1].Content.(*packets.Publish).Properties.CorrelationData[15]
			}
			for _, rt := range []*route{first, second, quiet} {
				require.Zero(t, rt.account.waiting.Load())
			}
			require.Zero(t, w.messages.waiting.Load())
		})
	}
}

// What waits when the connection ends is off the account of its node too.
func TestLossSettlesAccounts(t *testing.T) {
	for _, qos := range []byte{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire(t)
			w.rt.qos = qos
			w.setLimits(limits{packet: maxMaxPacket, qos: 2, receiveMaximum: 2})
			for n := range byte(100) {
				w.ask(n)
			}
			require.Positive(t, w.rt.account.waiting.Load())
			require.NoError(t, w.far.Close())
			require.NoError(t, w.Close())
			require.Zero(t, w.rt.account.waiting.Load())
			require.Zero(t, w.counters.backlog.Load())
		})
	}
}

// A broker that stops reading: what waits is bounded, everybody is told the truth in time, and
// when it reads again nothing that was given up is sent.
func TestBrokerStopsReading(t *testing.T) {
	const held = 50 * time.Millisecond
	resume := make(chan struct{})
	published := make(chan *packets.Publish, 1<<16)
	s := newScripted(t, func(s *scripted) { s.reject = func(raw net.Conn) { stalling(raw, resume, published) } })
	g := newGateway(t, Options{URL: s.url(), Backlog: minBacklog}, core.NodeOptions{Topic: "a", Timeout: held})
	g.bus.broker.stall = time.Minute // the connection must last, however slow the machine is
	g.start()
	value := `"` + strings.Repeat("x", 1000) + `"`
	ends := map[core.Outcome]int{}
	ask := func(n int) {
		var all []completions
		for range n {
			_, done := g.begin(0, value)
			all = append(all, done)
		}
		for _, done := range all {
			r := receive(t, done)
			ends[r.Outcome]++
			require.LessOrEqual(t, r.Elapsed, held+time.Second, "%v", r.Outcome)
			require.LessOrEqual(t, g.bus.Stats().BacklogBytes, int64(minBacklog+2*blockSize))
		}
	}
	const rounds, each = 20, 1000 // twenty megabytes, of which the kernel takes some
	for range rounds {
		ask(each)
	}
	require.Positive(t, ends[core.NotPublished])
	require.Positive(t, ends[core.Shed])
	require.Equal(t, rounds*each, ends[core.NotPublished]+ends[core.Shed]+ends[core.Timeout], "%v", ends)
	gone := ends[core.Timeout]

	close(resume)
	g.until(func() bool { return g.bus.Stats().BacklogBytes == 0 })
	require.Equal(t, gone, int(g.bus.Stats().PacketsWritten), "those are sent that end as timeout, and no others")
	for range gone {
		receive(t, published)
	}
	g.begin(0, `"again"`)
	require.Contains(t, string(receive(t, published).Payload), "again")
}

// stalling accepts a client and his subscriptions, and what is published only after resume.
func stalling(raw net.Conn, resume <-chan struct{}, published chan<- *packets.Publish) {
	defer raw.Close()
	for {
		p, err := packets.ReadPacket(raw)
		if err != nil {
			return
		}
		switch body := p.Content.(type) {
		case *packets.Connect:
			_, _ = accepted(&packets.Properties{}).WriteTo(raw)
			if body.CleanStart && body.Properties.SessionExpiryInterval == nil { // it publishes
				_ = raw.(*net.TCPConn).SetReadBuffer(4 << 10)
				<-resume
			}
		case *packets.Subscribe:
			granted := packets.NewControlPacket(packets.SUBACK)
			granted.Content.(*packets.Suback).PacketID = body.PacketID
			granted.Content.(*packets.Suback).Reasons = make([]byte, len(body.Subscriptions))
			_, _ = granted.WriteTo(raw)
		case *packets.Publish:
			published <- body
		}
	}
}
