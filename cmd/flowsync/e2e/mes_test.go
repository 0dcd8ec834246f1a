package e2e

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// mes is a responder whose every answer the test writes, on a connection of its own.
type mes struct {
	t        testing.TB
	bus      *mqtt.Bus
	requests chan request // as they come
	ends     chan mqtt.Message
}

// request is what a responder reads.
type request struct {
	topic string // of the node
	ID    string
	Value json.RawMessage
}

// startMES subscribes to the requests of these nodes, and to all ends of their service.
func startMES(t testing.TB, broker, service string, nodes ...string) *mes {
	t.Helper()
	bus, err := mqtt.Dial(mqtt.Options{URL: "mqtt://" + broker, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	m := &mes{t: t, bus: bus, requests: make(chan request, 1000), ends: make(chan mqtt.Message, 1000)}
	t.Cleanup(func() { _ = bus.Close(deadline(t)) })
	for _, node := range nodes {
		require.NoError(t, bus.Subscribe("services/"+service+"/"+node+"/treq", 1, m.asked))
	}
	require.NoError(t, bus.Subscribe("services/"+service+"/+/tend", 1, func(end mqtt.Message) {
		end.Payload = append([]byte(nil), end.Payload...)
		m.ends <- end
	}))
	require.NoError(t, bus.Start(deadline(t)))
	return m
}

func (m *mes) asked(message mqtt.Message) {
	r := request{topic: strings.TrimSuffix(message.Topic, "/treq")}
	if err := json.Unmarshal(append([]byte(nil), message.Payload...), &r); err != nil {
		m.t.Error(err)
		return
	}
	m.requests <- r
}

// next is the next request.
func (m *mes) next() request {
	m.t.Helper()
	return within(m.t, m.requests, "no request comes")
}

// none requires that no request has come: whatever was sent is here when what was sent later is.
func (m *mes) none() {
	m.t.Helper()
	require.Empty(m.t, m.requests)
}

// say publishes an answer: what stands behind the id.
func (m *mes) say(r request, rest string) {
	m.t.Helper()
	publish(m.t, m.bus, mqtt.Message{Topic: r.topic + "/tres", Payload: fmt.Appendf(nil, `{"id":"%s"%s}`, r.ID, rest), QoS: 1})
}

// within is what comes from a channel, which must not take long.
func within[T any](t testing.TB, from <-chan T, otherwise string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		require.FailNow(t, otherwise)
		panic("unreachable")
	}
}
