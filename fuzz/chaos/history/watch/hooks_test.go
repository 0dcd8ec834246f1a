package watch

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/tap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const idText = "0198f00d-aaaa-4bbb-8ccc-0123456789ab"

func id(t testing.TB) history.ID {
	id, ok := history.ParseID(idText)
	require.True(t, ok)
	return id
}

// events are what is recorded, as JSON lines without their stamps.
func events(t testing.TB, h *history.History) (lines []string) {
	t.Helper()
	var out bytes.Buffer
	// Whatever is recorded of marker 1 is dumped because it is said to be wrong.
	h.Asked(history.Asked{Marker: 1, Node: "press"})
	require.NoError(t, history.Dump(&out, h, history.Options{}, []history.Violation{{Markers: []uint64{1}}}, 100))
	dec := json.NewDecoder(&out)
	for dec.More() {
		var e struct {
			Event string
			Data  map[string]any
		}
		require.NoError(t, dec.Decode(&e))
		delete(e.Data, "Seq")
		delete(e.Data, "At")
		for k, v := range e.Data {
			if v == nil || v == false || v == "" || v == 0.0 {
				delete(e.Data, k)
			}
		}
		if e.Event != "violation" && e.Event != "asked" {
			data, err := json.Marshal(e.Data)
			require.NoError(t, err)
			lines = append(lines, e.Event+" "+string(data))
		}
	}
	return lines
}

// treq is a request of QoS 1 as the gateway sends it.
func treq() *tap.Packet {
	payload := append([]byte(`{"id":"`+idText+`","timestamp":1,"value":`), history.AppendValue(nil, 1, 0)...)
	return &tap.Packet{Conn: 3, Dir: tap.ToBroker, Type: publish, QoS: 1, PacketID: 9, Topic: "t/press/treq", Payload: append(payload, '}')}
}

// tres is an answer with members.
func tres(members string) *tap.Packet {
	return &tap.Packet{Conn: 4, Dir: tap.ToClient, Type: publish, Topic: "t/press/tres", Payload: []byte("{" + members + "}")}
}

func TestRequests(t *testing.T) {
	h := history.New(0)
	hooks := Hooks(h, func() uint32 { return 5 })
	hooks.Seen(treq())
	hooks.Seen(&tap.Packet{Dir: tap.ToClient, Type: publish, Topic: "t/press/treq"}) // not from the gateway
	hooks.Seen(&tap.Packet{Dir: tap.ToBroker, Type: publish, Topic: "elsewhere"})
	hooks.Forwarding(treq())
	changed := treq()
	changed.Tampered, changed.Was, changed.Payload = true, treq(), nil
	hooks.Forwarding(changed)
	ack := &tap.Packet{Conn: 3, Dir: tap.ToClient, Type: puback, PacketID: 9, Reason: 0x97}
	hooks.Forwarding(ack)
	hooks.Forwarding(ack) // there is nothing that it could be for
	hooks.Partial(treq(), 10, 100)
	hooks.Partial(&tap.Packet{Dir: tap.ToBroker, Type: puback}, 1, 2)
	hooks.Seen(&tap.Packet{Dir: tap.ToBroker, Type: publish, Topic: "t/press/tend", Payload: []byte(`{"id":"` + idText + `","outcome":"timeout"}`)})
	hooks.Closed(3)
	hooks.Forwarding(ack) // nor is it after the end of the connection
	require.Equal(t, []string{
		`published {"Conn":3,"ID":"` + idText + `","Life":5,"Marker":1,"Topic":"t/press"}`,
		`altered {"ID":"` + idText + `"}`,
		`acked {"Conn":3,"ID":"` + idText + `","Reason":151}`,
		`partial {"Conn":3,"Got":10,"ID":"` + idText + `","Len":100,"Marker":1}`,
		`told {"ID":"` + idText + `","Outcome":"timeout"}`,
		`cut {"Conn":3}`,
	}, events(t, h))
}

func TestAckAfterTheEndOfItsConnection(t *testing.T) {
	h := history.New(0)
	hooks := Hooks(h, func() uint32 { return 1 })
	hooks.Seen(treq())
	hooks.Closed(3)
	hooks.Forwarding(&tap.Packet{Conn: 3, Dir: tap.ToClient, Type: puback, PacketID: 9})
	for _, e := range events(t, h) {
		require.NotContains(t, e, "acked")
	}
}

func TestAnswers(t *testing.T) {
	own := id(t)
	data := own[:]
	with := func(p *tap.Packet, change func(*tap.Packet)) *tap.Packet { change(p); return p }
	for _, c := range []struct {
		name   string
		packet *tap.Packet
		want   string // what is beside id, topic and the like
	}{
		{"value", tres(`"id":"` + idText + `","value":"` + history.Text(1) + `"`), `"Marker":1`},
		{"null", tres(`"id":"` + idText + `","value":null,"extend":1`), ``},
		{"error", tres(`"id":"` + idText + `","error":{"code":1}`), `"Error":true`},
		{"error null", tres(`"id":"` + idText + `","error":null`), `"Error":true`},
		{"nothing", tres(`"id":"` + idText + `","result":1`), `"Empty":true`},
		{"extend", tres(`"id":"` + idText + `","extend":100`), `"Extend":true`},
		{"by correlation data", with(tres(`"value":1`), func(p *tap.Packet) { p.CorrelationData = data }), ``},
		{"both", with(tres(`"id":"`+idText+`","value":1`), func(p *tap.Packet) { p.CorrelationData = data }), ``},
		{"they disagree", with(tres(`"id":"`+idText+`","value":1`), func(p *tap.Packet) { p.CorrelationData = []byte("x") }), `"Malformed":true`},
		{"stale", with(tres(`"id":"`+idText+`","value":1`), func(p *tap.Packet) { p.Retain = true }), `"Stale":true`},
		{"tampered", with(tres(`"id":"`+idText+`","value":1`), func(p *tap.Packet) { p.Tampered = true }), `"Tampered":true`},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := history.New(0)
			hooks := Hooks(h, func() uint32 { return 5 })
			hooks.Seen(treq())
			hooks.Forwarding(c.packet)
			found := events(t, h)
			require.Len(t, found, 2)
			var got, want map[string]any
			require.NoError(t, json.Unmarshal([]byte(found[1][len("answer "):]), &got))
			if c.want != "" {
				c.want = "," + c.want
			}
			require.NoError(t, json.Unmarshal([]byte(`{"ID":"`+idText+`","Topic":"t/press","Conn":4,"Life":5`+c.want+"}"), &want))
			require.Equal(t, want, got)
		})
	}
}

func TestAnswersToNobody(t *testing.T) {
	for _, payload := range []string{`no json`, `{}`, `{"id":7}`, `{"id":"not ours"}`, `[]`} {
		m := read([]byte(payload))
		id, _ := m.correlate(nil)
		require.True(t, id.IsZero(), payload)
	}
	m := read([]byte(`{"value":1}`))
	_, bad := m.correlate([]byte("short"))
	require.True(t, bad)
	node, suffix := split("topic")
	require.Equal(t, "topic", node)
	require.Empty(t, suffix)
}

func TestTextsAreKeptOnce(t *testing.T) {
	r := &recorder{topics: make(map[string]string)}
	for range maxTopics + 10 {
		r.intern(string(rune('a' + len(r.topics))))
	}
	require.Len(t, r.topics, maxTopics)
	require.Equal(t, "another", r.intern("another"), "it is only not kept")
}
