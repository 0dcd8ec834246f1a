package watch

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/fuzz/chaos/broker"
	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/tap"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

const (
	patience = 20 * time.Second
	timeout  = 300 * time.Millisecond
)

// plant is a gateway whose bus goes through a tap to a broker, with a responder on it.
type plant struct {
	t       testing.TB
	history *history.History
	tap     *tap.Tap
	engine  *core.Engine
	node    *core.Node
	wg      sync.WaitGroup
}

// newPlant lets hooks record, which change may spoil.
func newPlant(t *testing.T, qos byte, change func(*tap.Hooks)) *plant {
	b, err := broker.New(broker.Options{NoSubscriberCode: true})
	require.NoError(t, err)
	p := &plant{t: t, history: history.New(0)}
	p.history.Life(history.Life{Number: 1})
	hooks := Hooks(p.history, func() uint32 { return 1 })
	change(&hooks)
	p.tap, err = tap.New(tap.Options{Broker: b.Addr(), Rand: rand.New(rand.NewPCG(1, 1)), Hooks: hooks})
	require.NoError(t, err)
	bus, err := mqtt.Dial(mqtt.Options{URL: "mqtt://" + p.tap.Addr(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	require.NoError(t, err)
	p.engine, err = core.New(bus, core.Options{})
	require.NoError(t, err)
	p.node, err = p.engine.AddNode(core.NodeOptions{Name: "press", Topic: "t/press", Timeout: timeout, QoS: qos})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, bus.Start(ctx))
	conn := p.respond(b.Addr())
	t.Cleanup(func() {
		require.NoError(t, p.engine.Close())
		gone, cancel := context.WithCancel(context.Background())
		cancel() // do not flush
		bus.Close(gone)
		conn.Close()
		require.NoError(t, p.tap.Close())
		require.NoError(t, b.Close())
		p.wg.Wait()
	})
	return p
}

// respond answers every request with its own value.
func (p *plant) respond(addr string) net.Conn {
	conn, err := net.Dial("tcp", addr)
	require.NoError(p.t, err)
	for _, packet := range []packets.Packet{
		&packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: "responder", CleanStart: true, Properties: new(packets.Properties)},
		&packets.Subscribe{PacketID: 1, Subscriptions: []packets.SubOptions{{Topic: "t/+/treq"}}, Properties: new(packets.Properties)},
	} {
		_, err = packet.WriteTo(conn)
		require.NoError(p.t, err)
	}
	in := bufio.NewReader(conn)
	for range 2 { // CONNACK and SUBACK
		_, err := packets.ReadPacket(in)
		require.NoError(p.t, err)
	}
	p.wg.Go(func() {
		for {
			cp, err := packets.ReadPacket(in)
			if err != nil {
				return
			}
			if m, ok := cp.Content.(*packets.Publish); ok {
				answer := &packets.Publish{Topic: "t/press/tres", Payload: m.Payload, QoS: 0, Properties: new(packets.Properties)}
				if _, err := answer.WriteTo(conn); err != nil {
					return
				}
			}
		}
	})
	return conn
}

// ask makes requests, several at once, and records what comes of them.
func (p *plant) ask(from, to int) {
	var wg sync.WaitGroup
	for lane := range 4 {
		wg.Go(func() {
			for m := from + lane; m < to; m += 4 {
				p.askOne(uint64(m))
			}
		})
	}
	wg.Wait()
}

func (p *plant) askOne(marker uint64) {
	ask := p.history.Asked(history.Asked{Marker: marker, Node: "press", Life: 1})
	result := make(chan history.Replied, 1)
	p.engine.Begin(&core.Call{Node: p.node, Value: history.AppendValue(nil, marker, 20)}, completer(func(r core.Result) {
		safe := r.RetrySafe()
		result <- history.Replied{
			Ask: ask, Way: history.Whole, Outcome: r.Outcome.String(), Marker: history.MarkerIn(r.Value),
			RetrySafe: &safe, ID: history.ID(bytes.Clone(r.ID[:])),
		}
	}))
	p.history.Replied(<-result)
}

type completer func(core.Result)

func (c completer) Complete(r core.Result) { c(r) }

// count records the engine's counters.
func (p *plant) count() {
	s := p.engine.Stats(p.node)
	c := history.Counters{Life: 1, Node: "press", Begun: s.Begun, Held: s.Held, Outcomes: map[string]uint64{}, Answers: map[string]uint64{}}
	for _, o := range core.Outcomes() {
		c.Outcomes[o.String()] = s.Ended[o]
	}
	for _, k := range core.AnswerKinds() {
		c.Answers[k.String()] = s.Answers[k]
	}
	p.history.Counters(c)
}

func (p *plant) check() []history.Violation {
	p.count()
	return history.Check(p.history, history.Options{
		Nodes: []history.Node{{Name: "press", Topic: "t/press", Timeout: timeout}}, Slack: 100 * time.Millisecond,
	})
}

// Whatever the network does between gateway and broker, nobody is lied to, and the checker knows
// what it was.
func TestGatewayUnderFaults(t *testing.T) {
	const answersToo = history.LosesAnswers | history.LosesRequests
	for _, c := range []struct {
		fault  tap.Fault
		effect history.Effect
	}{
		{tap.Fault{Kind: tap.Split, Bytes: 3}, 0},
		{tap.Fault{Kind: tap.Duplicate, Dir: tap.ToClient, Topic: "/tres", Rate: 0.5}, 0},
		{tap.Fault{Kind: tap.Reorder, Dir: tap.ToClient, Topic: "/tres", Rate: 0.5}, 0},
		{tap.Fault{Kind: tap.Delay, Topic: "/tres", Rate: 0.2, Delay: 20 * time.Millisecond}, 0},
		{tap.Fault{Kind: tap.Drop, Topic: "/treq", Rate: 0.1}, history.LosesRequests},
		{tap.Fault{Kind: tap.Drop, Topic: "/tres", Rate: 0.1}, 0},
		{tap.Fault{Kind: tap.CorruptPayload, Topic: "/treq", Rate: 0.2}, history.LosesRequests},
		{tap.Fault{Kind: tap.CorruptPayload, Topic: "/tres", Rate: 0.2}, 0},
		{tap.Fault{Kind: tap.CorruptFraming, Topic: "/tres", Rate: 0.1}, answersToo},
		{tap.Fault{Kind: tap.DropBytes, Topic: "/treq", Rate: 0.1}, answersToo},
		{tap.Fault{Kind: tap.CutShort, Topic: "/treq", Rate: 0.1}, answersToo},
		{tap.Fault{Kind: tap.Reset, Topic: "/tres", Rate: 0.1}, answersToo},
		{tap.Fault{Kind: tap.HalfClose, Topic: "/tres", Count: 1}, answersToo},
		{tap.Fault{Kind: tap.Stall, Dir: tap.ToClient}, answersToo},
		{tap.Fault{Kind: tap.Swallow}, answersToo},
		{tap.Fault{Kind: tap.RewriteAck, Reason: 0x97, Rate: 0.5}, 0},
	} {
		t.Run(c.fault.Kind.String()+c.fault.Topic, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t, 1, func(*tap.Hooks) {})
			p.ask(1, 20)
			over := p.history.Fault(c.fault.Kind.String(), "", c.effect)
			i := p.tap.Inject(c.fault)
			p.ask(100, 120)
			// PUBACKs have a connection of their own: they may pass after the last answer.
			require.Eventually(t, func() bool { return i.Hits() > 0 }, patience, time.Millisecond)
			i.End()
			over()
			p.ask(200, 220)
			for _, v := range p.check() {
				t.Error(v)
			}
		})
	}
}

// What is not recorded is missed: the checker does look at what the tap sees.
func TestWhatIsMissingIsMissed(t *testing.T) {
	for rule, change := range map[string]func(*tap.Hooks){
		"answered": func(h *tap.Hooks) { h.Forwarding = nil },
		"one-treq": func(h *tap.Hooks) {
			seen := h.Seen
			h.Seen = func(p *tap.Packet) { seen(p); seen(p) }
		},
	} {
		p := newPlant(t, 0, change)
		p.ask(1, 5)
		var rules []string
		for _, v := range p.check() {
			rules = append(rules, v.Rule)
		}
		require.Contains(t, rules, rule)
	}
}
