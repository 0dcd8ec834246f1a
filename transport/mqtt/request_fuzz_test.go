package mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// FuzzRequest: of a request as it goes over the wire, paho reads everything that was put in, no
// property that could make a broker drop the connection is in it, and lengths are minimal. left is
// the time until its deadline, in µs.
func FuzzRequest(f *testing.F) {
	f.Add("plant/é", []byte(`{"order":4711,"n":1.50}`), "http-path", "/data/a%2Fb", "k", "\xff", int64(1_999_001), byte(1), true)
	f.Add("a", []byte(nil), "", "no name", "n", strings.Repeat("x", 1024), int64(0), byte(0), false)
	f.Add(strings.Repeat("t", 300), bytes.Repeat([]byte("1"), 16_000), "http-query", "a=%25&b=\x00", "tracestate", strings.Repeat("é", 513), int64(-5), byte(2), false)
	f.Add("/", []byte(`"\u2028"`), "\u0085\ufffe%", "100 %", strings.Repeat("\x7f", 341), strings.Repeat("\x7f", 342), int64(3_600_000_000), byte(5), true)
	f.Fuzz(func(t *testing.T, topic string, value []byte, name1, value1, name2, value2 string, left int64, qos byte, retain bool) {
		if _, err := core.ValidJSON(value); len(value) > 0 && err != nil || !validTopic(topic) || len(topic) > 65535-5 || left > int64(time.Hour/time.Microsecond) || left < -1e9 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			r := newRequest(t, core.NodeOptions{Topic: topic, QoS: qos % 3, Retain: retain}, core.Call{
				Value: value, Properties: []core.Property{{Name: name1, Value: value1}, {Name: name2, Value: value2}},
			})
			r.Value = bytes.Clone(value)
			r.Deadline = time.Now().Add(time.Duration(left) * time.Microsecond)
			packet := appendRequest(nil, &newRoute(r.Node).form, &r)
			if r.Node.QoS() > 0 {
				setPacketID(packet, 0xfffe)
			}
			requireRequest(t, &r, readPublish(t, packet), len(packet))
			requirePlain(t, &r, NewEncoder(r.Node).AppendPlain(nil, &r))
		})
	})
}

func requireRequest(t *testing.T, r *core.Request, p *packets.Publish, length int) {
	require.Equal(t, r.Node.Topic()+"/treq", p.Topic)
	require.Equal(t, r.Node.QoS(), p.QoS)
	require.Equal(t, r.Node.Retain(), p.Retain)
	require.Equal(t, r.Node.QoS() > 0, p.PacketID == 0xfffe)
	require.False(t, p.Duplicate)
	requireMessage(t, r, p.Payload)

	properties := p.Properties
	require.Equal(t, r.Node.Topic()+"/tres", properties.ResponseTopic)
	require.Equal(t, r.ID[:], properties.CorrelationData)
	require.Equal(t, "application/json", properties.ContentType)
	left := time.Until(r.Deadline)
	require.EqualValues(t, max(1, (left+time.Second-1)/time.Second), *properties.MessageExpiry)
	want := []packets.User{{Key: "flowsync-timeout-ms", Value: fmt.Sprint(int64(max(1, (left+time.Millisecond-1)/time.Millisecond)))}}
	for _, own := range r.Properties {
		user := packets.User{Key: encodedModel(own.Name), Value: encodedModel(own.Value)}
		if user.Key != "" && len(user.Key) <= 1024 && len(user.Value) <= 1024 {
			want = append(want, user)
		}
	}
	require.Equal(t, want, properties.User)
	for _, user := range properties.User {
		require.True(t, validText(user.Key), "%q", user.Key)
		require.True(t, user.Value == "" || validText(user.Value), "%q", user.Value)
	}
	var again bytes.Buffer
	_, err := p.WriteTo(&again)
	require.NoError(t, err)
	require.Equal(t, again.Len(), length, "lengths are minimal")
}

// requireMessage reads the payload with encoding/json.
func requireMessage(t *testing.T, r *core.Request, payload []byte) {
	var message struct {
		ID        string
		Timestamp int64
		Value     json.RawMessage
	}
	require.NoError(t, json.Unmarshal(payload, &message), "%q", payload)
	require.Equal(t, r.ID.String(), message.ID)
	require.Equal(t, r.Timestamp, message.Timestamp)
	want := string(bytes.Trim(r.Value, " \t\r\n"))
	if want == "" {
		want = "null"
	}
	require.Equal(t, want, string(message.Value))
}

// requirePlain takes a PUBLISH of MQTT 3.1.1 apart.
func requirePlain(t *testing.T, r *core.Request, packet []byte) {
	require.Equal(t, byte(0x30), packet[0])
	length, at := 0, 1
	for shift := 0; ; shift += 7 {
		length |= int(packet[at]&0x7f) << shift
		if at++; packet[at-1]&0x80 == 0 {
			break
		}
	}
	require.Len(t, packet, at+length)
	topic := int(packet[at])<<8 | int(packet[at+1])
	at += 2
	require.Equal(t, r.Node.Topic()+"/treq", string(packet[at:at+topic]))
	requireMessage(t, r, packet[at+topic:])
}

// encodedModel is s as it may stand in MQTT: if it may not as it is, percent-encoded.
func encodedModel(s string) string {
	if s == "" || validText(s) || len(s) > 65535 {
		return s
	}
	var out strings.Builder
	for len(s) > 0 {
		_, size := utf8.DecodeRuneInString(s)
		if part := s[:size]; part != "%" && validText(part) {
			out.WriteString(part)
		} else {
			for _, c := range []byte(part) {
				fmt.Fprintf(&out, "%%%02X", c)
			}
		}
		s = s[size:]
	}
	return out.String()
}
