package broker

import (
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

func TestGivesToWhoHasSubscribed(t *testing.T) {
	b := newBroker(t, Options{})
	sub, _ := connect(t, b, "sub", nil)
	require.Equal(t, []byte{1, 0, 0x8F, 0x8F}, sub.subscribe(3,
		packets.SubOptions{Topic: "a/+/treq", QoS: 2}, packets.SubOptions{Topic: "a/#"},
		packets.SubOptions{Topic: "a/#/b"}, packets.SubOptions{Topic: "$share/g"}))
	pub, _ := connect(t, b, "pub", nil)
	pub.publish("a/b/treq", "one", 1, func(m *packets.Publish) {
		expiry := uint32(60)
		m.Properties = &packets.Properties{MessageExpiry: &expiry, ResponseTopic: "r", CorrelationData: []byte("c"), User: []packets.User{{Key: "k", Value: "v"}}}
	})
	require.Zero(t, hear[*packets.Puback](pub).ReasonCode)
	m := sub.gets("one")
	require.Equal(t, byte(1), m.QoS, "the highest of both, once")
	require.Equal(t, "r", m.Properties.ResponseTopic)
	require.Equal(t, []byte("c"), m.Properties.CorrelationData)
	require.Equal(t, "v", m.Properties.User[0].Value)
	require.LessOrEqual(t, *m.Properties.MessageExpiry, uint32(60))
	require.NotNil(t, m.Properties.SubscriptionIdentifier)
	pub.publish("a/c", "two", 0, nil)
	require.Zero(t, sub.gets("two").QoS)
	pub.publish("b/c", "three", 0, nil)
	pub.reaches()
	sub.reaches()

	sub.say(&packets.Unsubscribe{PacketID: 4, Topics: []string{"a/#", "z"}, Properties: new(packets.Properties)})
	require.Equal(t, []byte{0, 0x11}, hear[*packets.Unsuback](sub).Reasons)
	pub.publish("a/c", "four", 0, nil)
	pub.reaches()
	sub.reaches()
	stats := b.Stats()
	require.Equal(t, Stats{Connects: 2, Publishes: 4, Delivered: 2}, stats)
	require.ElementsMatch(t, []string{"pub", "sub"}, b.Clients())
}

func TestTwiceTheSameOfQoS2(t *testing.T) {
	b := newBroker(t, Options{})
	p, _ := connect(t, b, "p", func(c *packets.Connect) { c.ClientID = "" })
	p.subscribe(0, packets.SubOptions{Topic: "a"})
	for range 2 {
		p.publish("a", "x", 2, nil)
	}
	var got []byte
	for range 3 { // two PUBREC and one PUBLISH
		got = append(got, p.bytes()[0]>>4)
	}
	require.ElementsMatch(t, []byte{packets.PUBREC, packets.PUBREC, packets.PUBLISH}, got)
	p.say(&packets.Pubrel{PacketID: 5, Properties: new(packets.Properties)})
	hear[*packets.Pubcomp](p)
	p.publish("a", "y", 2, nil)
	got = []byte{p.bytes()[0] >> 4, p.bytes()[0] >> 4}
	require.ElementsMatch(t, []byte{packets.PUBREC, packets.PUBLISH}, got)
}

func TestNobodyListens(t *testing.T) {
	b := newBroker(t, Options{NoSubscriberCode: true})
	p, _ := connect(t, b, "p", nil)
	p.publish("a", "x", 1, nil)
	require.Equal(t, byte(0x10), hear[*packets.Puback](p).ReasonCode)
	p.publish("a", "x", 2, nil)
	require.Equal(t, byte(0x10), hear[*packets.Pubrec](p).ReasonCode)
}

func TestNoLocal(t *testing.T) {
	b := newBroker(t, Options{})
	p, _ := connect(t, b, "p", nil)
	p.subscribe(0, packets.SubOptions{Topic: "a", NoLocal: true})
	p.publish("a", "x", 0, nil)
	p.reaches()
}

func TestShared(t *testing.T) {
	b := newBroker(t, Options{})
	one, _ := connect(t, b, "one", kept(60))
	two, _ := connect(t, b, "two", nil)
	for _, p := range []*peer{one, two} {
		p.subscribe(8, packets.SubOptions{Topic: "$share/g/a/+", QoS: 1})
	}
	pub, _ := connect(t, b, "pub", nil)
	for _, m := range []string{"1", "2", "3"} {
		pub.publish("a/b", m, 1, nil)
		hear[*packets.Puback](pub)
	}
	require.Equal(t, 8, *one.gets("1").Properties.SubscriptionIdentifier)
	two.gets("2")
	one.gets("3")
	require.NoError(t, one.Close())
	require.Eventually(t, func() bool { return len(b.Clients()) == 2 }, patience, time.Millisecond)
	pub.publish("a/b", "4", 1, nil)
	two.gets("4")
	require.NoError(t, two.Close())
	require.Eventually(t, func() bool { return len(b.Clients()) == 1 }, patience, time.Millisecond)
	pub.publish("a/b", "5", 1, nil)
	hear[*packets.Puback](pub)
	hear[*packets.Puback](pub)
	one, _ = connect(t, b, "one", kept(60))
	one.gets("1")
	one.gets("3")
	one.gets("5")
}

func TestSessions(t *testing.T) {
	b := newBroker(t, Options{})
	pub, _ := connect(t, b, "pub", nil)
	sub, hello := connect(t, b, "sub", kept(60))
	require.False(t, hello.SessionPresent)
	sub.subscribe(0, packets.SubOptions{Topic: "a", QoS: 1})
	pub.publish("a", "not acknowledged", 1, nil)
	first := sub.gets("not acknowledged")
	require.NoError(t, sub.Close())
	require.Eventually(t, func() bool { return len(b.Clients()) == 1 }, patience, time.Millisecond)
	pub.publish("a", "kept", 1, nil)
	pub.publish("a", "not kept", 0, nil)
	hear[*packets.Puback](pub)
	hear[*packets.Puback](pub)
	pub.reaches()

	sub, hello = connect(t, b, "sub", kept(60))
	require.True(t, hello.SessionPresent)
	again := sub.gets("not acknowledged")
	require.True(t, again.Duplicate)
	require.Equal(t, first.PacketID, again.PacketID)
	m := sub.gets("kept")
	require.False(t, m.Duplicate)
	for _, id := range []uint16{again.PacketID, m.PacketID} {
		sub.say(&packets.Puback{PacketID: id, Properties: new(packets.Properties)})
	}
	sub.reaches()
	sub.say(&packets.Disconnect{Properties: &packets.Properties{SessionExpiryInterval: new(uint32)}})
	sub.ends()
	require.Eventually(t, func() bool { return len(b.Clients()) == 1 }, patience, time.Millisecond)
	_, hello = connect(t, b, "sub", kept(60))
	require.False(t, hello.SessionPresent, "it was told to forget it")
}

func TestForget(t *testing.T) {
	b := newBroker(t, Options{})
	sub, _ := connect(t, b, "sub", kept(0xFFFFFFFF))
	require.Zero(t, b.Forget("s*"), "it is connected")
	require.NoError(t, sub.Close())
	require.Eventually(t, func() bool { return len(b.Clients()) == 0 }, patience, time.Millisecond)
	require.Equal(t, 1, b.Forget("s*"))
	_, hello := connect(t, b, "sub", kept(60))
	require.False(t, hello.SessionPresent)
}

func TestTakenOver(t *testing.T) {
	b := newBroker(t, Options{})
	one, _ := connect(t, b, "same", kept(60))
	one.subscribe(0, packets.SubOptions{Topic: "a"})
	two, hello := connect(t, b, "same", kept(60))
	require.True(t, hello.SessionPresent)
	require.Equal(t, byte(packets.DisconnectSessionTakenOver), hear[*packets.Disconnect](one).ReasonCode)
	one.ends()
	two.publish("a", "x", 0, nil)
	two.gets("x")
	_, hello = connect(t, b, "same", nil)
	require.False(t, hello.SessionPresent, "clean start")
	hear[*packets.Disconnect](two)
}

func TestRetained(t *testing.T) {
	b := newBroker(t, Options{})
	p, _ := connect(t, b, "p", nil)
	keep := func(m *packets.Publish) { m.Retain = true }
	p.publish("a/1", "old", 0, keep)
	p.publish("a/2", "gone", 0, keep)
	p.publish("a/2", "", 0, keep)
	p.reaches()
	p.subscribe(2, packets.SubOptions{Topic: "a/#", RetainHandling: 1})
	require.True(t, p.gets("old").Retain)
	p.subscribe(2, packets.SubOptions{Topic: "a/#", RetainHandling: 1})
	p.subscribe(2, packets.SubOptions{Topic: "a/+", RetainHandling: 2})
	p.publish("a/1", "new", 0, keep)
	require.False(t, p.gets("new").Retain, "a live one")
	p.reaches()
}
