package embedded

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// FuzzRouting: messages and requests come to every client and every handler whose filter matches
// their topic, once, and to nobody else. mqtt.Match says what matches, which FuzzTopic of that package
// holds against a slow reading of the standard. Each byte of the texts stands for a character that
// matters.
func FuzzRouting(f *testing.F) {
	f.Add("\x00", "\x00\x02\x04", "\x03", "\x00\x02\x03", "\x00", "\x00\x02\x01")
	f.Add("\x04", "\x03\x02\x03", "\x06\x01\x02\x04", "\x02\x03", "\x02", "\x00\x02\x02\x01")
	f.Add("\x03\x02\x04", "\x00\x02", "\x06\x01\x02\x00\x02\x03", "\x04", "\x05\x00", "\x00\x02\x05")
	f.Add("\x05\x02\x04", "\x05\x02\x03", "\x00\x02\x00", "\x05\x02\x04", "\x05\x02\x00", "\x07\x02\x07")
	f.Fuzz(func(t *testing.T, first, second, third, handler, topic, node string) {
		filters := [3]string{characters(first), characters(second), characters(third)}
		handled := characters(handler)
		topic, node = characters(topic), characters(node)
		for _, filter := range append(filters[:], handled) {
			if len(filter) > 200 || mqtt.ValidateFilter(filter) != nil {
				return
			}
		}
		if len(topic) > 200 || len(node) > 200 || mqtt.ValidateTopic(topic) != nil || mqtt.ValidateTopic(node) != nil {
			return
		}
		if strings.HasPrefix(topic, "$share") || strings.HasPrefix(node, "$share") {
			return // brokers may refuse them
		}
		r := newRouting(t, filters, handled, node)
		r.publish(topic)
		r.ask()
		r.check(topic)
	})
}

// characters makes a text of those that matter.
func characters(program string) string {
	alphabet := []string{"a", "b", "/", "+", "#", "$", "$share/", "é", "treq", "/"}
	var text strings.Builder
	for _, c := range []byte(program) {
		text.WriteString(alphabet[int(c)%len(alphabet)])
	}
	return text.String()
}

const lastTopic = "the/last"

// routing is a gateway with a node, a handler, and three clients: the second has two filters.
type routing struct {
	t       *testing.T
	broker  *Broker
	engine  *core.Engine
	filters [3][]string
	clients [3]*wire
	handled string
	heard   chan string
}

func newRouting(t *testing.T, filters [3]string, handled, node string) *routing {
	b, err := Start(Options{Addr: "127.0.0.1:0", MaxInFlight: 100, MaxClients: 8})
	require.NoError(t, err)
	b.settle = 0 // what waits on the long way is none of this test's business
	r := &routing{t: t, broker: b, handled: handled, heard: make(chan string, 10)}
	r.engine, err = core.New(b, core.Options{Shards: 1})
	require.NoError(t, err)
	_, err = r.engine.AddNode(core.NodeOptions{Name: "n", Topic: node, Timeout: core.MaxTimeout})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, r.engine.Close())
		require.NoError(t, b.Close(context.Background()))
	})
	for i, filter := range filters {
		conn, in, out := connection(t, b.Addr())
		t.Cleanup(func() { conn.Close() })
		r.clients[i] = &wire{t, conn, in, out}
		_, err := conn.Write(connect(fmt.Sprint("client", i), true))
		require.NoError(t, err)
		r.clients[i].next()
		r.filters[i] = []string{filter}
		if i == 1 && !strings.HasPrefix(filter, "$share/") && !strings.HasPrefix(filters[2], "$share/") {
			r.filters[i] = append(r.filters[i], filters[2])
		}
		for _, filter := range append(r.filters[i], lastTopic) {
			r.clients[i].subscribe(filter, 0)
		}
	}
	require.NoError(t, b.Subscribe(handled, 0, func(m mqtt.Message) { r.heard <- m.Topic }))
	require.NoError(t, b.Subscribe(lastTopic, 0, func(mqtt.Message) { r.heard <- "end" }))
	return r
}

func (r *routing) publish(topic string) {
	require.NoError(r.t, r.broker.PublishMessage(mqtt.Message{Topic: topic, Payload: []byte("m")}))
}

func (r *routing) ask() {
	done := make(completions, 1)
	id := r.engine.Begin(&core.Call{Node: r.engine.Nodes()[0]}, done)
	require.Empty(r.t, done)
	require.False(r.t, id.IsZero())
}

func (r *routing) check(topic string) {
	r.publish(lastTopic)
	request := r.engine.Nodes()[0].RequestTopic()
	want := func(filters ...string) (counts map[string]int) {
		counts = map[string]int{}
		for _, topic := range []string{topic, request, lastTopic} {
			for _, filter := range filters {
				if mqtt.Match(filter, topic) {
					counts[topic] = max(1, counts[topic])
				}
			}
		}
		if topic == request && counts[topic] > 0 {
			counts[topic] = 2
		}
		return counts
	}
	shared := map[string]int{} // members of share groups with the same filter
	for _, filters := range r.filters {
		shared[filters[0]]++
	}
	for i, w := range r.clients {
		if filter := r.filters[i][0]; strings.HasPrefix(filter, "$share/") && shared[filter] > 1 {
			continue // one of them
		}
		if slices.ContainsFunc(r.filters[i], func(filter string) bool { return unheard(filter, topic) || unheard(filter, request) }) {
			continue
		}
		got := map[string]int{}
		for got[lastTopic] == 0 {
			came, _ := w.message()
			got[came]++
		}
		require.Equal(r.t, want(append(r.filters[i], lastTopic)...), got, "client %d with %q", i, r.filters[i])
	}
	got := map[string]int{}
	for came := receive(r.t, r.heard); came != "end"; came = receive(r.t, r.heard) {
		got[came]++
	}
	wanted := want(r.handled)
	if mqtt.Match(r.handled, lastTopic) {
		wanted[lastTopic], got[lastTopic] = 1, 1 // before or after the end
	}
	require.Equal(r.t, wanted, got, "handler of %q", r.handled)
}

// unheard says whether the broker (mochi v2.7.9) does not give a topic to a filter that matches it: it
// forgets that a/+/# matches a/b (§4.7.1.2). Who subscribes so is told.
func unheard(filter, topic string) bool {
	plain := mqtt.Unshared(filter)
	return strings.HasSuffix("/"+plain, "/+/#") && strings.Count(plain, "/") == strings.Count(topic, "/")+1
}
