package gateway

import (
	"context"
	"errors"
	"log/slog"
	nethttp "net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

func newClient(t testing.TB) *nethttp.Client {
	transport := &nethttp.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &nethttp.Client{Transport: transport}
}

func TestCapture(t *testing.T) {
	for _, c := range []struct {
		filter string
		names  []string
		topic  string
		want   map[string]string
	}{
		{"a/b", nil, "a/b", map[string]string{}},
		{"a/+/c", []string{"x"}, "a/b/c", map[string]string{"x": "b"}},
		{"+/+", []string{"", "y"}, "a/b", map[string]string{"y": "b"}},
		{"a/#", []string{"rest"}, "a/b/c", map[string]string{"rest": "b/c"}},
		{"a/#", []string{"rest"}, "a", map[string]string{"rest": ""}},
		{"+/x/#", []string{"first", "rest"}, "a/x/y/z", map[string]string{"first": "a", "rest": "y/z"}},
		{"a/+", []string{"x"}, "a/", map[string]string{"x": ""}},
	} {
		require.Equal(t, c.want, capture(c.filter, c.names, c.topic), "%s %s", c.filter, c.topic)
	}
}

func TestWithIdentity(t *testing.T) {
	id, ok := core.ParseID([]byte("12345678-9abc-4def-8123-456789abcdef"))
	require.True(t, ok)
	for in, want := range map[string]string{
		`{"value":1}`: `{"id":"12345678-9abc-4def-8123-456789abcdef","timestamp":5,"value":1}`,
		`{"z":[1],"timestamp":9,"id":"x","value":null,"a\"":"<"}`: `{"id":"12345678-9abc-4def-8123-456789abcdef","timestamp":5,"value":null,"a\"":"<","z":[1]}`,
	} {
		got, err := withIdentity([]byte(in), id, 5)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	for _, bad := range []string{`1`, `null`, `[]`, `{"id":"x"}`, `{`} {
		_, err := withIdentity([]byte(bad), id, 5)
		require.ErrorIs(t, err, errNotAnObject, bad)
	}
}

// stuckLink is a broker whose PublishMessage waits for the test.
type stuckLink struct {
	link
	entered chan struct{}
	proceed chan struct{}
	once    sync.Once

	published atomic.Int32
}

func (l *stuckLink) PublishMessage(mqtt.Message) error {
	l.once.Do(func() { close(l.entered) })
	<-l.proceed
	l.published.Add(1)
	return nil
}

// TestRelayOverflow: what does not fit into the queue is dropped and told, and nobody waits.
func TestRelayOverflow(t *testing.T) {
	log := &logBuffer{}
	stuck := &stuckLink{entered: make(chan struct{}), proceed: make(chan struct{})}
	r := newRelay("m", &rules.Pipeline{}, target{topic: "out"}, stuck, slog.New(slog.NewTextHandler(log, nil)))
	handle := r.handler(nil, "in", "")
	handle(mqtt.Message{Topic: "in", Payload: []byte("1")})
	receive(t, stuck.entered)
	large := make([]byte, queueBytes/4-inputOverhead-len("in"))
	for range 6 {
		handle(mqtt.Message{Topic: "in", Payload: large})
	}
	require.EqualValues(t, 2, r.dropped.Load())
	require.Contains(t, log.String(), "mapping is too slow")
	close(stuck.proceed)
	soon := time.Now().Add(10 * time.Second)
	r.close(soon)
	r.close(soon)
	require.EqualValues(t, 5, stuck.published.Load(), "what waited is mapped")
	require.NotContains(t, log.String(), "lost")
}

// TestRelayGivesUp: what waits when the time for it is over is counted and told.
func TestRelayGivesUp(t *testing.T) {
	log := &logBuffer{}
	stuck := &stuckLink{entered: make(chan struct{}), proceed: make(chan struct{})}
	r := newRelay("m", &rules.Pipeline{}, target{topic: "out"}, stuck, slog.New(slog.NewTextHandler(log, nil)))
	handle := r.handler(nil, "in", "")
	handle(mqtt.Message{Topic: "in", Payload: []byte("1")})
	receive(t, stuck.entered)
	for range 7 {
		handle(mqtt.Message{Topic: "in"})
	}
	closed := make(chan struct{})
	go func() {
		r.close(time.Now())
		close(closed)
	}()
	require.Eventually(t, func() bool { return r.end.Load() != nil }, 5*time.Second, time.Millisecond)
	close(stuck.proceed)
	receive(t, closed)
	require.EqualValues(t, 1, stuck.published.Load())
	require.Contains(t, log.String(), "lost=7")
	handle(mqtt.Message{Topic: "in"})
	require.Contains(t, log.String(), "mapping has stopped")
}

// TestIdleRelaysAreSmall: a queue takes the memory of what is in it.
func TestIdleRelaysAreSmall(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var relays []*relay
	for range 100 {
		relays = append(relays, newRelay("m", &rules.Pipeline{}, target{}, failingLink{}, slog.New(slog.DiscardHandler)))
	}
	runtime.ReadMemStats(&after)
	for _, r := range relays {
		r.close(time.Now())
	}
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

// failingLink is a broker that takes nothing.
type failingLink struct{ link }

func (failingLink) PublishMessage(mqtt.Message) error { return errors.New("not connected") }

func TestRelayFails(t *testing.T) {
	log := &logBuffer{}
	r := newRelay("m", &rules.Pipeline{}, target{topic: "out/{x}"}, failingLink{}, slog.New(slog.NewTextHandler(log, nil)))
	defer r.close(time.Now())
	r.handler([]string{"x"}, "in/+", "")(mqtt.Message{Topic: "in/a", Payload: []byte("1")})
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "not connected") }, 5*time.Second, time.Millisecond)
	r.handler(nil, "in/+", "")(mqtt.Message{Topic: "in/a", Payload: []byte("1")}) // {x} is not set
	require.Eventually(t, func() bool { return r.failed.Load() == 2 }, 5*time.Second, time.Millisecond)
}

// TestFaultyModels: a model that was not made by the loader is an error, not a panic.
func TestFaultyModels(t *testing.T) {
	bad := []rules.Spec{{Kind: "nonsense"}}
	for name, file := range map[string]string{
		"node": node("ask", ""), "receives": value("v", "PUT", "serverReceives", ""), "provides": value("v", "GET", "serverProvides", ""),
	} {
		model := load(t, httpHead+file)
		model.Services[0].HTTPServers[0].Nodes[0].Rules = bad
		_, err := Open(context.Background(), model, settings(&logBuffer{}))
		require.ErrorContains(t, err, "nonsense", name)
	}
	model := load(t, httpHead+node("ask", ""))
	model.Services[0].HTTPServers[0].Nodes[0].Transaction.ResponseRules = bad
	_, err := Open(context.Background(), model, settings(&logBuffer{}))
	require.ErrorContains(t, err, "nonsense")
	model = load(t, httpHead+mappingOf("m", "topic: a", "topic: b", "$"))
	model.Services[0].Mappings[0].Rules = bad
	_, err = Open(context.Background(), model, settings(&logBuffer{}))
	require.ErrorContains(t, err, "nonsense")
}
