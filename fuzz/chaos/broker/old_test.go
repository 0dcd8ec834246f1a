package broker

import (
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

// write sends bytes as a client of MQTT 3.1.1 does.
func (p *peer) write(raw string) {
	p.t.Helper()
	_, err := p.Write([]byte(raw))
	require.NoError(p.t, err)
}

// hears reads bytes as such a client does.
func (p *peer) hears(raw string) {
	p.t.Helper()
	require.Equal(p.t, raw, string(p.bytes()))
}

func TestMQTT311(t *testing.T) {
	b := newBroker(t, Options{})
	p := dial(t, b)
	// With a will, a user and a password, and not clean.
	p.write("\x10\x1b\x00\x04MQTT\x04\xc4\x00\x0a\x00\x03old\x00\x01w\x00\x01m\x00\x01u\x00\x01p")
	p.hears("\x20\x02\x00\x00")
	p.write("\x82\x0a\x00\x01\x00\x01a\x01\x00\x01#\x00")
	p.hears("\x90\x04\x00\x01\x01\x00")
	p.write("\x82\x07\x00\x03\x00\x02b#\x00")
	p.hears("\x90\x03\x00\x03\x80")
	five, _ := connect(t, b, "five", nil)
	five.publish("a", "hi", 1, func(m *packets.Publish) { m.Properties.ContentType = "text/plain" })
	p.hears("\x32\x07\x00\x01a\x00\x01hi")
	p.write("\x40\x02\x00\x01")
	p.write("\x32\x06\x00\x01b\x00\x05x")
	p.hears("\x40\x02\x00\x05")
	p.hears("\x30\x04\x00\x01bx")
	p.write("\x34\x06\x00\x01c\x00\x05x")
	p.hears("\x50\x02\x00\x05")
	p.hears("\x30\x04\x00\x01cx")
	p.write("\x62\x02\x00\x05")
	p.hears("\x70\x02\x00\x05")
	p.write("\xa2\x05\x00\x02\x00\x01#")
	p.hears("\xb0\x02\x00\x02")
	p.write("\xc0\x00")
	p.hears("\xd0\x00")
	p.write("\xe0\x00")
	p.ends()

	p = dial(t, b)
	p.write("\x10\x0f\x00\x04MQTT\x04\x00\x00\x0a\x00\x03old")
	p.hears("\x20\x02\x01\x00")
	require.Equal(t, 1, b.Disconnect("old", 0x8B))
	p.ends()
}

func TestRefusedMQTT311(t *testing.T) {
	b := newBroker(t, Options{})
	b.Act(Rule{On: Connect, Do: Refuse, Reason: 0x88})
	p := dial(t, b)
	p.write("\x10\x0f\x00\x04MQTT\x04\x02\x00\x0a\x00\x03old")
	p.hears("\x20\x02\x00\x03")
	p.ends()
}

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a/b", "a", false}, {"a", "a/b", false},
		{"+", "a", true}, {"+", "a/b", false}, {"+/b", "a/b", true}, {"a/+", "a/", true}, {"a/+", "a", false},
		{"#", "a/b/c", true}, {"a/#", "a", true}, {"a/#", "a/b/c", true}, {"a/#", "ab", false}, {"/+", "/a", true}, {"+/+", "/a", true},
		{"#", "$SYS/x", false}, {"+/x", "$SYS/x", false}, {"$SYS/#", "$SYS/x", true},
	} {
		require.Equal(t, c.want, match(c.filter, c.topic), "%s %s", c.filter, c.topic)
	}
	for filter, want := range map[string]bool{"": false, "a/#": true, "a/#/b": false, "a+": false, "+/a": true, "a\x00": false} {
		require.Equal(t, want, valid(filter), filter)
	}
}
