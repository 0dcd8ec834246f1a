package embedded

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// A live answer is valid whatever its retain flag says; a stored one is not even looked at, and
// Subscribe tells the two apart.
func TestLiveAndStoredRetained(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	got := make(chan mqtt.Message, 10)
	keep := func(m mqtt.Message) { got <- m }
	w := g.dial("responder", true)
	w.subscribe("a/treq", 0)
	id, done := g.begin(`1`)
	_, request := w.message()
	w.publish(1, "a/tres", answerTo(request, `"live"`))
	require.Equal(t, `"live"`, string(g.end(done, core.Answered).Value))

	require.NoError(t, g.broker.Subscribe("a/#", 0, keep))
	stored := receive(t, got)
	require.True(t, stored.Retain)
	require.Contains(t, string(stored.Payload), id.String())
	require.NoError(t, g.broker.Subscribe("$share/g/a/tres", 0, keep), "shared subscriptions get nothing stored")

	node, err := g.engine.AddNode(core.NodeOptions{Name: "b", Topic: "b"})
	require.NoError(t, err)
	w.publish(1, "a/tres", []byte(`{"value":"again"}`))
	for range 2 { // a/# and the shared one
		live := receive(t, got)
		require.False(t, live.Retain)
		require.Equal(t, `{"value":"again"}`, string(live.Payload))
	}
	require.Zero(t, g.engine.Stats(node).Answers[core.Stale])
}

// The broker's inline subscriptions do not match a with a/#, and match $ topics with #.
func TestFilters(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: "x", Payload: []byte("stored"), Retain: true}))
	got := make(chan string, 20)
	for _, filter := range []string{"x/#", "#", "+", "$share/g/x"} {
		require.NoError(t, g.broker.Subscribe(filter, 1, func(m mqtt.Message) {
			got <- fmt.Sprint(filter, " ", m.Topic, " ", m.Retain, " ", m.QoS, " ", m.ContentType)
		}))
	}
	require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: "$x", QoS: 1}))
	require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: "x", QoS: 2, ContentType: "text/plain"}))
	var all []string
	for range 7 {
		all = append(all, receive(t, got))
	}
	require.ElementsMatch(t, []string{
		"x/# x true 0 ", "# x true 0 ", "+ x true 0 ",
		"x/# x false 1 text/plain", "# x false 1 text/plain", "+ x false 1 text/plain", "$share/g/x x false 1 text/plain",
	}, all)
	require.Empty(t, got)
}

// Whoever subscribes while a retained topic changes misses no change from what was stored on.
func TestSubscribeWhileRetainedChanges(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	for i := range 2000 { // looking through them takes a while
		require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: fmt.Sprint("y/", i), Payload: []byte("1"), Retain: true}))
	}
	const last, subscribers = 2000, 40 // together fewer than may wait for handlers
	var publishing sync.WaitGroup
	publishing.Go(func() {
		for i := 1; i <= last; i++ {
			if err := g.broker.PublishMessage(mqtt.Message{Topic: "x", Payload: []byte(strconv.Itoa(i)), Retain: true}); err != nil {
				t.Error(err)
			}
		}
	})
	var ended sync.WaitGroup
	for range subscribers {
		ended.Add(1)
		before := 0
		require.NoError(t, g.broker.Subscribe("x", 0, func(m mqtt.Message) {
			n, _ := strconv.Atoi(string(m.Payload))
			if before != 0 && n != before+1 && n != before {
				t.Errorf("%d came after %d", n, before)
			}
			if n == last && before != last {
				ended.Done()
			}
			before = n
		}))
		runtime.Gosched()
	}
	publishing.Wait()
	done := make(chan struct{})
	go func() {
		ended.Wait()
		close(done)
	}()
	receive(t, done)
	require.Zero(t, g.broker.Stats().HandlersDropped)
}

// A retained request goes when its time is over: nobody waits for its answer any more.
func TestRetainedRequestExpires(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{Retain: true, Timeout: 100 * time.Millisecond})
	_, done := g.begin(`1`)
	require.Positive(t, g.broker.Stats().RetainedBytes)
	g.end(done, core.Timeout)
	g.until(func() bool { return g.broker.Stats().RetainedBytes == 0 })
}

// A PUBACK has none of the properties of what it acknowledges (MQTT 5 §3.4.2.2); clients drop
// the connection on one that has.
func TestAcknowledgementHasNoPropertiesOfTheAnswer(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	r := &rig{broker: g.broker}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	responder, err := r.Peer(ctx)
	require.NoError(t, err)
	id, done := g.begin(`1`)
	ack, err := responder.(*peer).client.Publish(ctx, &paho.Publish{
		Topic: "a/tres", QoS: 1, Payload: []byte(`{"value":2}`),
		Properties: &paho.PublishProperties{CorrelationData: id[:], ContentType: "application/json", User: paho.UserProperties{{Key: "k", Value: "v"}}},
	})
	require.NoError(t, err)
	require.Empty(t, ack.Properties.User)
	g.end(done, core.Answered)
	require.NoError(t, r.Close(ctx))
}

func TestRetainedIsBounded(t *testing.T) {
	g := newGateway(t, Options{MaxRetained: 3 * topicOverhead}, core.NodeOptions{Retain: true})
	publish := func(topic, payload string) {
		require.NoError(t, g.broker.PublishMessage(mqtt.Message{Topic: topic, Payload: []byte(payload), Retain: true}))
	}
	publish("1", "x")
	publish("2", "x")
	publish("2", "y")
	publish("3", "x")
	require.EqualValues(t, 1, g.broker.Stats().NotRetained)
	require.Contains(t, g.log.String(), "too much is retained")
	publish("1", "")
	require.EqualValues(t, topicOverhead+2, g.broker.Stats().RetainedBytes)
	_, done := g.begin(`"kept"`)
	w := g.dial("late responder", true)
	w.subscribe("a/treq", 0)
	_, request := w.message()
	w.publish(0, "a/tres", answerTo(request, `2`))
	g.end(done, core.Answered)
}

// The requests and answers of each QoS, through a responder with MQTT 3.1.1.
func TestQoS(t *testing.T) {
	for qos := byte(0); qos <= 2; qos++ {
		t.Run(fmt.Sprint(qos), func(t *testing.T) {
			g := newGateway(t, Options{}, core.NodeOptions{QoS: qos})
			w := g.dial("responder", true)
			w.subscribe("a/treq", 2)
			_, done := g.begin(`1`)
			kind, body := w.next()
			require.Equal(t, 0x30|qos<<1, kind)
			topic, request := split(kind, body)
			require.Equal(t, "a/treq", topic)
			w.publish(qos<<1, "a/tres", answerTo(request, `2`))
			g.end(done, core.Answered)
			if qos == 0 {
				return
			}
			ack, body := w.next()
			require.Equal(t, 0x30+qos<<4, ack, "PUBACK is 0x40, PUBREC 0x50")
			require.Equal(t, []byte{0, 7}, body[:2])
			if qos == 2 { // not released, sent again: it is the same message
				w.send(0x3c, publication(4, "a/tres", answerTo(request, `2`)))
				ack, _ = w.next()
				require.Equal(t, byte(0x50), ack)
				require.Zero(t, g.engine.Stats(g.node).Answers[core.Duplicate])
			}
		})
	}
}

func TestWillIsAMessage(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	got := make(chan string, 1)
	require.NoError(t, g.broker.Subscribe("gone", 0, func(m mqtt.Message) { got <- string(m.Payload) }))
	conn, in := g.open()
	_, err := conn.Write(connectWith(2|4|32, append(append(text("mortal"), text("gone")...), text("bye")...)))
	require.NoError(t, err)
	_, err = io.ReadFull(in, make([]byte, 4))
	require.NoError(t, err)
	conn.Close()
	require.Equal(t, "bye", receive(t, got))
}

func TestRequestsEndedBeforeAreNotSent(t *testing.T) {
	g := newGateway(t, Options{}, core.NodeOptions{})
	_, done := g.begin(`1`)
	require.NoError(t, g.engine.Close())
	g.end(done, core.Shutdown)
	require.NoError(t, g.broker.Publish(&core.Request{Node: g.node}))
	require.EqualValues(t, 1, g.broker.Stats().Expired)
	require.EqualValues(t, 1, g.broker.Stats().Requests)
}

func TestInvalidMessages(t *testing.T) {
	g := newGateway(t, Options{MaxPacket: 1024}, core.NodeOptions{})
	b := g.broker
	for _, m := range []mqtt.Message{
		{}, {Topic: "a/+"}, {Topic: "a\xff"}, {Topic: "a", QoS: 3},
		{Topic: "a", Payload: make([]byte, 1025)}, {Topic: "a", ContentType: "a\x00"},
	} {
		require.ErrorIs(t, b.PublishMessage(m), core.ErrNotSent, "%q", m.Topic)
	}
	require.ErrorContains(t, b.Subscribe("a/#/b", 0, nil), "# must be the last level")
	require.ErrorContains(t, b.Subscribe("a", 3, nil), "QoS 3")
	_, err := g.engine.AddNode(core.NodeOptions{Name: "wild", Topic: "a/+"})
	require.ErrorContains(t, err, "wildcard")
	require.True(t, b.Ready())
	require.NoError(t, b.Close(context.Background()))
	require.False(t, b.Ready())
	require.ErrorIs(t, b.PublishMessage(mqtt.Message{Topic: "a"}), core.ErrNotSent)
	require.ErrorIs(t, b.Subscribe("a", 0, nil), errClosed)
	_, done := g.begin(`1`)
	require.Contains(t, g.end(done, core.NotPublished).Message, "closed")
}
