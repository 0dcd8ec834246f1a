package broker

import (
	"bytes"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

func TestReceiveMaximum(t *testing.T) {
	b := newBroker(t, Options{ReceiveMaximum: 2})
	one := uint16(1)
	sub, hello := connect(t, b, "sub", func(c *packets.Connect) { c.Properties.ReceiveMaximum = &one })
	require.Equal(t, uint16(2), *hello.Properties.ReceiveMaximum)
	sub.subscribe(0, packets.SubOptions{Topic: "a", QoS: 1})
	pub, _ := connect(t, b, "pub", nil)
	for _, m := range []string{"1", "2"} {
		pub.publish("a", m, 1, nil)
		hear[*packets.Puback](pub)
	}
	m := sub.gets("1")
	sub.reaches() // nothing more until it is acknowledged
	sub.say(&packets.Puback{PacketID: m.PacketID, Properties: new(packets.Properties)})
	sub.gets("2")

	defer b.Act(Rule{On: Publish, Do: Silent}).End()
	for range 3 {
		pub.publish("a", "3", 1, nil)
	}
	require.Equal(t, byte(packets.DisconnectReceiveMaximumExceeded), hear[*packets.Disconnect](pub).ReasonCode)
}

func TestMessagesExpire(t *testing.T) {
	b := newBroker(t, Options{})
	one := uint16(1)
	sub, _ := connect(t, b, "sub", func(c *packets.Connect) { c.Properties.ReceiveMaximum = &one })
	sub.subscribe(0, packets.SubOptions{Topic: "a", QoS: 1})
	pub, _ := connect(t, b, "pub", nil)
	pub.publish("a", "first", 1, nil)
	hear[*packets.Puback](pub)
	m := sub.gets("first")
	pub.publish("a", "expires at once", 1, func(m *packets.Publish) { m.Properties.MessageExpiry = new(uint32) })
	pub.publish("a", "does not", 1, nil)
	hear[*packets.Puback](pub)
	hear[*packets.Puback](pub)
	sub.say(&packets.Puback{PacketID: m.PacketID, Properties: new(packets.Properties)})
	sub.gets("does not")
	require.Equal(t, uint64(1), b.Stats().Dropped)
}

func TestQueueIsBounded(t *testing.T) {
	b := newBroker(t, Options{MaxQueue: 2})
	sub, _ := connect(t, b, "sub", kept(60))
	sub.subscribe(0, packets.SubOptions{Topic: "a", QoS: 1})
	require.NoError(t, sub.Close())
	require.Eventually(t, func() bool { return len(b.Clients()) == 0 }, patience, time.Millisecond)
	pub, _ := connect(t, b, "pub", nil)
	for _, m := range []string{"1", "2", "3"} {
		pub.publish("a", m, 1, nil)
		hear[*packets.Puback](pub)
	}
	require.Equal(t, uint64(1), b.Stats().Dropped)
	sub, _ = connect(t, b, "sub", kept(60))
	sub.gets("1")
	sub.gets("2")
	sub.reaches()
}

func TestMalformed(t *testing.T) {
	b := newBroker(t, Options{MaxPacket: 100})
	for _, raw := range []string{
		"\xc0\x00",                             // no CONNECT
		"\x10\x01x",                            // too short a CONNECT
		"\x10\x04\x00\x02MQ",                   // one without a level
		"\x10\x06\x00\x04MQTT",                 // the same
		"\x10\x0a\x00\x04MQTT\x04\x00\x00\x00", // no client id
		"\x10\x0c\x00\x04MQTT\x04\x00\x00\x00\x00\x09", // a client id that is not there
		"\x10\xff\xff\xff\x7f",                         // too large
		"\x30\x03\x00\x01a",                            // PUBLISH first
	} {
		p := dial(t, b)
		_, err := p.Write([]byte(raw))
		require.NoError(t, err)
		p.ends()
	}
	p, _ := connect(t, b, "p", nil)
	p.say(&packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: "p", Properties: new(packets.Properties)})
	require.Equal(t, byte(packets.DisconnectMalformedPacket), hear[*packets.Disconnect](p).ReasonCode)
	p.ends()
	p, _ = connect(t, b, "p", nil)
	p.publish("a", string(bytes.Repeat([]byte("x"), 200)), 0, nil)
	require.Equal(t, byte(packets.DisconnectPacketTooLarge), hear[*packets.Disconnect](p).ReasonCode)
	for _, raw := range []string{"\x30\x01a", "\x30\x02\x00\x05", "\x82\x01x"} {
		p := dial(t, b)
		_, err := p.Write([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01x" + raw))
		require.NoError(t, err)
		require.Equal(t, []byte{0x20, 2, 0, 0}, p.bytes())
		p.ends()
	}
	_, hello := connect(t, b, "p", func(c *packets.Connect) { c.ProtocolVersion = 6 })
	require.Equal(t, byte(packets.ConnackQuotaExceeded), hello.ReasonCode)
}
