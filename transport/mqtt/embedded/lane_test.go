package embedded

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

// settleAtOnce opens lanes without waiting; before the first request.
func (b *Broker) settleAtOnce() *Broker {
	b.settle = 0
	return b
}

// lanePlan is the plan of the node's lane now.
func (g *gateway) lanePlan() *plan {
	l, ok := g.broker.lanes.Load(g.node)
	require.True(g.t, ok)
	return g.broker.planOf(l)
}

// What every bus passes, with requests that go the short way as soon as they can.
func TestConformanceOfLanes(t *testing.T) {
	transporttest.Bus(t, func(t *testing.T) transporttest.BusRig {
		b, err := Start(Options{Addr: "127.0.0.1:0"})
		require.NoError(t, err)
		return &rig{broker: b.settleAtOnce()}
	})
}

// Everybody is given the same request, each in his version of MQTT, as mochi's own way would.
func TestReceiversOfLane(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	g.broker.settleAtOnce()
	old := g.dial("3.1.1", true)
	old.subscribe("a/+", 0)
	got := make(chan *paho.Publish, 1)
	g.dialPaho(t, "5", nil, paho.SubscribeOptions{Topic: "a/treq", QoS: 2}, got)
	require.True(t, g.lanePlan().open)
	require.Len(t, g.lanePlan().receivers, 2)
	id, done := g.begin(`{"order":4711}`)
	_, plain := old.message()
	p := receive(t, got)
	require.Equal(t, "a/treq", p.Topic)
	require.Equal(t, string(plain), string(p.Payload))
	require.Zero(t, p.QoS)
	require.Equal(t, "a/tres", p.Properties.ResponseTopic)
	require.Equal(t, id[:], p.Properties.CorrelationData)
	require.EqualValues(t, 60, *p.Properties.MessageExpiry)
	require.Equal(t, "flowsync-timeout-ms", p.Properties.User[0].Key)
	old.publish(0, "a/tres", answerTo(plain, `1`))
	g.end(done, core.Answered)
	require.EqualValues(t, 1, g.broker.Stats().Requests)
}

// dialPaho connects a client of MQTT 5.
func (g *gateway) dialPaho(t *testing.T, id string, properties *paho.ConnectProperties, to paho.SubscribeOptions, got chan<- *paho.Publish) *paho.Client {
	conn, _ := g.open()
	client := paho.NewClient(paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn), OnPublishReceived: []func(paho.PublishReceived) (bool, error){
		func(r paho.PublishReceived) (bool, error) { got <- r.Packet; return true, nil },
	}})
	_, err := client.Connect(t.Context(), &paho.Connect{ClientID: id, CleanStart: true, Properties: properties})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = client.Disconnect(&paho.Disconnect{})
		<-client.Done()
	})
	_, err = client.Subscribe(context.Background(), &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{to}})
	require.NoError(t, err)
	return client
}

// Whoever asks for something that only the broker keeps account of closes the lane, and it opens
// again when he goes. Requests arrive either way.
func TestLaneOpensAndCloses(t *testing.T) {
	for name, come := range map[string]func(t *testing.T, g *gateway) (leave func()){
		"share group": func(t *testing.T, g *gateway) func() {
			w := g.dial("member", true)
			w.subscribe("$share/g/a/treq", 0)
			return func() { w.conn.Close() }
		},
		"no local": func(t *testing.T, g *gateway) func() {
			c := g.dialPaho(t, "local", nil, paho.SubscribeOptions{Topic: "a/#", NoLocal: true}, make(chan *paho.Publish, 10))
			return func() {
				_, err := c.Unsubscribe(t.Context(), &paho.Unsubscribe{Topics: []string{"a/#"}})
				require.NoError(t, err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, Options{}, core.NodeOptions{})
			g.broker.settleAtOnce()
			w := g.dial("responder", true)
			w.subscribe("a/treq", 0)
			ask := func() {
				_, done := g.begin(`1`)
				_, request := w.message()
				w.publish(0, "a/tres", answerTo(request, `2`))
				g.end(done, core.Answered)
			}
			require.True(t, g.lanePlan().open)
			ask()
			leave := come(t, g)
			require.False(t, g.lanePlan().open)
			ask()
			leave()
			g.until(func() bool { return g.lanePlan().open })
			ask()
		})
	}
}

// A subscription with an identifier needs it in each message.
func TestLaneAndIdentifiers(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	g.broker.settleAtOnce()
	conn, _ := g.open()
	got := make(chan *paho.Publish, 1)
	client := paho.NewClient(paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn), OnPublishReceived: []func(paho.PublishReceived) (bool, error){
		func(r paho.PublishReceived) (bool, error) { got <- r.Packet; return true, nil },
	}})
	_, err := client.Connect(t.Context(), &paho.Connect{ClientID: "5", CleanStart: true})
	require.NoError(t, err)
	defer func() { _ = client.Disconnect(&paho.Disconnect{}); <-client.Done() }()
	seven := 7
	_, err = client.Subscribe(t.Context(), &paho.Subscribe{
		Properties:    &paho.SubscribeProperties{SubscriptionIdentifier: &seven},
		Subscriptions: []paho.SubscribeOptions{{Topic: "a/treq"}},
	})
	require.NoError(t, err)
	g.begin(`1`)
	require.Equal(t, 7, *receive(t, got).Properties.SubscriptionIdentifier)
}

// A handler inside of the process sees requests from the moment at which Subscribe returns.
func TestLaneAndHandlers(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	g.broker.settleAtOnce()
	w := g.dial("responder", true)
	w.subscribe("a/treq", 0)
	g.begin(`1`)
	w.message()
	require.True(t, g.lanePlan().open)
	got := make(chan string, 1)
	require.NoError(t, g.broker.Subscribe("a/+", 0, func(m mqtt.Message) { got <- string(m.Payload) }))
	require.False(t, g.lanePlan().open)
	g.begin(`2`)
	w.message()
	require.Contains(t, receive(t, got), `"value":2`)
}

// What a client said he does not take is not sent to him.
func TestLaneAndPacketLimit(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	g.broker.settleAtOnce()
	limit := uint32(500)
	got := make(chan *paho.Publish, 2)
	g.dialPaho(t, "small", &paho.ConnectProperties{MaximumPacketSize: &limit}, paho.SubscribeOptions{Topic: "a/treq"}, got)
	require.True(t, g.lanePlan().open)
	g.begin(`"` + string(make([]byte, 500)) + `"`)
	g.begin(`2`)
	require.Contains(t, string(receive(t, got).Payload), `"value":2`)
}

// Requests of a node arrive in their order while its lane closes and opens again.
func TestOrderOverChangesOfLane(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	g.broker.generations.last.Store(&time.Time{}) // open from the beginning
	w := g.dial("responder", true)
	w.subscribe("a/treq", 0)
	g.broker.generations.last.Store(&time.Time{})
	require.True(t, g.lanePlan().open)
	const requests = 2000
	var asking sync.WaitGroup
	asking.Go(func() {
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for i := range requests {
			if i == requests/4 { // he closes the lane, and a second later it opens for both
				g.dial("other", true).subscribe("a/#", 0)
			}
			g.begin(strconv.Itoa(i))
			<-pace.C
		}
	})
	for i := range requests {
		_, request := w.message()
		answer, err := core.DecodeAnswer(request)
		require.NoError(t, err)
		require.Equal(t, strconv.Itoa(i), string(answer.Value))
	}
	asking.Wait()
}

// A lane that has new receivers opens only when what went the long way before has arrived; one
// whose receivers stay the same stays open while others come and go.
func TestLaneSettles(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	w := g.dial("responder", true)
	w.subscribe("a/treq", 0)
	change := *g.broker.generations.last.Load()
	first := g.lanePlan()
	require.True(t, first.open)
	require.Equal(t, change.Add(settleTime), first.from)

	request := func(at time.Time) *core.Request {
		return &core.Request{ID: core.ID{1}, Node: g.node, Value: []byte(`1`), Timeout: time.Minute, Deadline: at.Add(time.Minute)}
	}
	require.False(t, g.broker.short(request(first.from.Add(-1))))
	require.True(t, g.broker.short(request(first.from)))

	g.dial("elsewhere", true).subscribe("b/treq", 0)
	require.NotEqual(t, first.generation, g.lanePlan().generation)
	require.Equal(t, first.from, g.lanePlan().from)

	g.dial("too", true).subscribe("a/treq", 0)
	require.True(t, g.lanePlan().from.After(first.from))
}

// A client who comes back under his name is given what is published then, on his new connection.
func TestLaneAndTakeover(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	g.broker.settleAtOnce()
	w := g.dial("responder", false)
	w.subscribe("a/treq", 0)
	for i := range 20 {
		g.begin(strconv.Itoa(i))
		_, request := w.message()
		require.Contains(t, string(request), `"value":`+strconv.Itoa(i)+`}`)
		w = g.dial("responder", false)
	}
}

// Answers reach whoever else subscribed to them, from the moment he is told that he has.
func TestOthersHearAnswers(t *testing.T) {
	for qos := range byte(2) {
		g := newGateway(t, Options{}, core.NodeOptions{})
		w := g.dial("responder", true)
		w.subscribe("a/treq", 0)
		ask := func() (answer []byte) {
			_, done := g.begin(`1`)
			_, request := w.message()
			answer = answerTo(request, `2`)
			w.publish(qos<<1, "a/tres", answer)
			g.end(done, core.Answered)
			if qos == 1 {
				kind, _ := w.next()
				require.Equal(t, byte(0x40), kind, "PUBACK")
			}
			return answer
		}
		for range 3 {
			ask()
		}
		other := g.dial("other", true)
		other.subscribe("+/tres", 0)
		want := ask()
		topic, got := other.message()
		require.Equal(t, "a/tres", topic)
		require.Equal(t, string(want), string(got))
		other.conn.Close()
		ask()
	}
}

// What is retained or acknowledged is the broker.s to keep.
func TestLaneIsClosedForOthers(t *testing.T) {
	for name, n := range map[string]core.NodeOptions{"QoS 1": {QoS: 1}, "retained": {Retain: true}} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, Options{}, n)
			g.broker.settleAtOnce()
			_, ok := g.broker.lanes.Load(g.node)
			require.False(t, ok)
		})
	}
}
