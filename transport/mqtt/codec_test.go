package mqtt

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// capture is a bus that passes requests on, copied.
type capture struct{ requests chan core.Request }

func (c *capture) Publish(r *core.Request) error {
	c.requests <- *r
	return nil
}

// newRequest makes a request that the engine thinks is being published.
func newRequest(t testing.TB, node core.NodeOptions, call core.Call) core.Request {
	bus := &capture{make(chan core.Request, 1)}
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { engine.Close() })
	node.Name = node.Topic
	call.Node, err = engine.AddNode(node)
	require.NoError(t, err)
	engine.Begin(&call, make(completions, 1))
	return <-bus.requests
}

func newRoute(n *core.Node) *route {
	return &route{form: formOf(n)}
}

// readPublish reads one PUBLISH with paho's code, and nothing behind it.
func readPublish(t testing.TB, packet []byte) *packets.Publish {
	in := bytes.NewReader(packet)
	p, err := packets.ReadPacket(in)
	require.NoError(t, err)
	require.Zero(t, in.Len())
	return p.Content.(*packets.Publish)
}

// TestRequestAgainstPaho: paho reads what we wrote, at all sizes at which a length grows a byte,
// and would have written as many bytes.
func TestRequestAgainstPaho(t *testing.T) {
	synctest.Test(t, requestAgainstPaho) // so that the time left is the same for both
}

func requestAgainstPaho(t *testing.T) {
	for _, qos := range []byte{0, 1, 2} {
		for _, value := range []int{0, 1, 100, 16_000, 16_200, 16_384, 2_097_152} {
			for _, property := range []int{1, 20, 500, 1000} {
				r := newRequest(t, core.NodeOptions{Topic: "plant/é", QoS: qos, Retain: qos == 1},
					core.Call{Value: []byte(strings.Repeat("1", value)), Properties: []core.Property{{Name: "k", Value: strings.Repeat("v", property)}}})
				before := "what is already there"
				packet := appendRequest([]byte(before), &newRoute(r.Node).form, &r)
				require.Equal(t, before, string(packet[:len(before)]))
				packet = packet[len(before):]
				if qos > 0 {
					setPacketID(packet, 0x1234)
				}
				p := readPublish(t, packet)
				require.Equal(t, "plant/é/treq", p.Topic)
				require.Equal(t, qos, p.QoS)
				require.Equal(t, qos == 1, p.Retain)
				require.Equal(t, string(r.AppendMessage(nil)), string(p.Payload))
				want := RequestProperties(&r)
				require.Equal(t, want.ResponseTopic, p.Properties.ResponseTopic)
				require.Equal(t, want.CorrelationData, p.Properties.CorrelationData)
				require.Equal(t, want.MessageExpiry, *p.Properties.MessageExpiry)
				require.Equal(t, want.ContentType, p.Properties.ContentType)
				require.Len(t, p.Properties.User, len(want.User))
				for i, u := range want.User {
					require.Equal(t, packets.User{Key: u.Name, Value: u.Value}, p.Properties.User[i])
				}
				if qos > 0 {
					require.EqualValues(t, 0x1234, p.PacketID)
				}
				var again bytes.Buffer
				p.WriteTo(&again)
				require.Equal(t, again.Len(), len(packet), "lengths are minimal")
			}
		}
	}
}

// What an Encoder writes is what a bus writes, but for QoS and retain; and without properties for
// MQTT 3.1.1.
func TestEncoder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRequest(t, core.NodeOptions{Topic: "plant/é", QoS: 2, Retain: true},
			core.Call{Value: []byte(`1`), Properties: []core.Property{{Name: "k", Value: "v"}}})
		e := NewEncoder(r.Node)
		rt := newRoute(r.Node)
		rt.qos, rt.retain = 0, false
		require.Equal(t, appendRequest([]byte("x"), &rt.form, &r), e.Append([]byte("x"), &r))
		want := append([]byte{0x30, byte(2 + len("plant/é/treq") + len(r.AppendMessage(nil)))}, appendString(nil, "plant/é/treq")...)
		require.Equal(t, r.AppendMessage(want), e.AppendPlain(nil, &r))
	})
}

// TestRequestAllocatesNothing: the packet is written into the buffer it is sent from.
func TestRequestAllocatesNothing(t *testing.T) {
	r := newRequest(t, core.NodeOptions{Topic: "a"}, core.Call{Value: []byte(`{"x":1}`), Properties: []core.Property{{Name: "http-method", Value: "GET"}}})
	rt := newRoute(r.Node)
	buf := make([]byte, 0, 1024)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf = appendRequest(buf[:0], &rt.form, &r) }))
}

func TestPropertyRules(t *testing.T) {
	long := strings.Repeat("x", maxProperty)
	for _, c := range []struct {
		name, value         string
		wantName, wantValue string // empty name: left out
	}{
		{"k", "plain", "k", "plain"},
		{"k", "", "k", ""},
		{"k", "grüße €", "k", "grüße €"},
		{"k", "100%", "k", "100%"},
		{"k", "a\xffb", "k", "a%FFb"},
		{"k", "5% \x00", "k", "5%25 %00"},
		{"k", "tab\t\u0085\ufdd0\U0001fffe", "k", "tab%09%C2%85%EF%B7%90%F0%9F%BF%BE"},
		{"k\n", "v", "k%0A", "v"},
		{"", "v", "", ""},
		{"k", long, "k", long},
		{"k", long + "x", "", ""},
		{long + "x", "v", "", ""},
		{"k", strings.Repeat("\xff", maxProperty/3), "k", strings.Repeat("%FF", maxProperty/3)},
		{"k", strings.Repeat("\xff", maxProperty/3+1), "", ""},
		{"k", strings.Repeat("\xff", 100*maxProperty), "", ""},
	} {
		p, ok := safeProperty(core.Property{Name: c.name, Value: c.value})
		require.Equal(t, c.wantName != "", ok, "%.20q", c.value)
		if ok {
			require.Equal(t, core.Property{Name: c.wantName, Value: c.wantValue}, p)
		}
	}
}

func TestTimeLeftIsRoundedUp(t *testing.T) {
	for left, want := range map[time.Duration]struct {
		seconds uint32
		millis  int64
	}{
		-time.Second:                      {1, 1},
		0:                                 {1, 1},
		1:                                 {1, 1},
		1500 * time.Microsecond:           {1, 2},
		time.Second:                       {1, 1000},
		time.Second + 1:                   {2, 1001},
		2*time.Second - time.Microsecond:  {2, 2000},
		time.Hour:                         {3600, 3_600_000},
		time.Hour - 1500*time.Microsecond: {3600, 3_599_999},
	} {
		require.Equal(t, want.seconds, expirySeconds(left), left)
		require.Equal(t, want.millis, expiryMillis(left), left)
	}
}

// TestDeliveryAgainstPaho: we read what paho wrote.
func TestDeliveryAgainstPaho(t *testing.T) {
	format, expiry, id := byte(1), uint32(3), 300
	p := &packets.Publish{Topic: "a/b", Payload: []byte("payload"), QoS: 2, PacketID: 77, Retain: true, Properties: &packets.Properties{
		PayloadFormat: &format, MessageExpiry: &expiry, ContentType: "text/plain", ResponseTopic: "r",
		CorrelationData: []byte{1, 2}, SubscriptionIdentifier: &id, User: []packets.User{{Key: "k", Value: "v"}},
	}}
	var raw bytes.Buffer
	p.WriteTo(&raw)
	var d delivery
	require.NoError(t, d.decode(raw.Bytes()[0], raw.Bytes()[2:]))
	require.Equal(t, delivery{topic: []byte("a/b"), payload: []byte("payload"), correlation: []byte{1, 2},
		contentType: []byte("text/plain"), subscriptions: []uint32{300}, packetID: 77, qos: 2, retain: true}, d)
	require.NoError(t, d.decode(0x30, []byte("\x00\x01a\x04\x0b\x01\x0b\x02")), "two identifiers")
	require.Equal(t, []uint32{1, 2}, d.subscriptions)
	require.Nil(t, d.correlation)
}

func TestDecodeAck(t *testing.T) {
	for body, want := range map[string]ack{
		"\x01\x02":                               {packetID: 0x102},
		"\x00\x01\x87":                           {packetID: 1, reason: 0x87},
		"\x00\x01\x87\x00":                       {packetID: 1, reason: 0x87},
		"\x00\x01\x87\x05\x1f\x00\x02no":         {packetID: 1, reason: 0x87, words: "no"},
		"\x00\x01\x00\x07\x26\x00\x01a\x00\x01b": {packetID: 1},
	} {
		a, err := decodeAck([]byte(body))
		require.NoError(t, err)
		require.Equal(t, want, a)
	}
	for _, body := range []string{"", "\x00", "\x00\x01\x00\x05", "\x00\x01\x00\x02\x1f\x00", "\x00\x01\x00\x01\x01", "\x00\x01\x00\xff\xff\xff\xff"} {
		_, err := decodeAck([]byte(body))
		require.Error(t, err, "%q", body)
	}
}

func TestAppendAck(t *testing.T) {
	for _, kind := range []byte{packets.PUBACK, packets.PUBREC, packets.PUBREL, packets.PUBCOMP} {
		p, err := packets.ReadPacket(bytes.NewReader(appendAck(nil, kind, 0x1234)))
		require.NoError(t, err)
		require.Equal(t, kind, p.Type)
		require.EqualValues(t, 0x1234, p.PacketID())
		require.Equal(t, kind == packets.PUBREL, p.Flags == 2)
	}
}
