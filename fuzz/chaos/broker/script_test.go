package broker

import (
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

func TestConnectByTheScript(t *testing.T) {
	b := newBroker(t, Options{})
	refuse := b.Act(Rule{On: Connect, Client: "bad-*", Do: Refuse, Reason: packets.ConnackQuotaExceeded, Count: 1})
	p, hello := connect(t, b, "bad-1", nil)
	require.Equal(t, byte(packets.ConnackQuotaExceeded), hello.ReasonCode)
	p.ends()
	_, hello = connect(t, b, "bad-1", nil)
	require.Zero(t, hello.ReasonCode, "once only")
	require.Equal(t, uint64(1), refuse.Hits())

	b.Act(Rule{On: Connect, Client: "low", Do: Limit, Number: 3})
	_, hello = connect(t, b, "low", nil)
	require.Equal(t, uint16(3), *hello.Properties.ReceiveMaximum)

	b.Act(Rule{On: Connect, Client: "hangup", Do: Hangup})
	p = dial(t, b)
	p.say(&packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: "hangup", Properties: new(packets.Properties)})
	p.ends()

	b.Act(Rule{On: Connect, Client: "silent", Do: Silent})
	p = dial(t, b)
	p.say(&packets.Connect{ProtocolName: "MQTT", ProtocolVersion: 5, ClientID: "silent", Properties: new(packets.Properties)})
	p.publish("a", "into the void", 1, nil)
	p.say(new(packets.Pingreq))
	require.NoError(t, p.SetReadDeadline(time.Now().Add(30*time.Millisecond)))
	_, err := p.in.ReadByte()
	require.ErrorContains(t, err, "timeout")
	require.Panics(t, func() { b.Act(Rule{Client: "["}) })
}

func TestForgetsByTheScript(t *testing.T) {
	b := newBroker(t, Options{})
	connect(t, b, "p", kept(60))
	rule := b.Act(Rule{On: Connect, Do: Forget})
	_, hello := connect(t, b, "p", kept(60))
	require.False(t, hello.SessionPresent)
	rule.End()
	_, hello = connect(t, b, "p", kept(60))
	require.True(t, hello.SessionPresent)
}

func TestSubscribeByTheScript(t *testing.T) {
	b := newBroker(t, Options{})
	p, _ := connect(t, b, "p", nil)
	b.Act(Rule{On: Subscribe, Topic: "a/#", Do: Refuse, Reason: packets.SubackNotauthorized})
	require.Equal(t, []byte{packets.SubackNotauthorized, 0}, p.subscribe(0, packets.SubOptions{Topic: "a/#"}, packets.SubOptions{Topic: "b"}))
	silent := b.Act(Rule{On: Subscribe, Do: Silent})
	p.say(&packets.Subscribe{PacketID: 3, Subscriptions: []packets.SubOptions{{Topic: "c"}}, Properties: new(packets.Properties)})
	p.reaches()
	silent.End()
	b.Act(Rule{On: Subscribe, Do: Disconnect, Reason: packets.DisconnectQuotaExceeded, Count: 1})
	p.say(&packets.Subscribe{PacketID: 3, Subscriptions: []packets.SubOptions{{Topic: "c"}}, Properties: new(packets.Properties)})
	require.Equal(t, byte(packets.DisconnectQuotaExceeded), hear[*packets.Disconnect](p).ReasonCode)
	p.ends()
	p, _ = connect(t, b, "p", nil)
	b.Act(Rule{On: Subscribe, Do: Hangup})
	p.say(&packets.Subscribe{PacketID: 3, Subscriptions: []packets.SubOptions{{Topic: "c"}}, Properties: new(packets.Properties)})
	p.ends()
}

func TestPublishByTheScript(t *testing.T) {
	b := newBroker(t, Options{})
	sub, _ := connect(t, b, "sub", nil)
	sub.subscribe(0, packets.SubOptions{Topic: "#", QoS: 1})
	p, _ := connect(t, b, "p", nil)
	b.Act(Rule{On: Publish, Topic: "full/+", Do: Refuse, Reason: 0x97})
	p.publish("full/a", "x", 1, nil)
	require.Equal(t, byte(0x97), hear[*packets.Puback](p).ReasonCode)
	p.publish("full/a", "x", 2, nil)
	require.Equal(t, byte(0x97), hear[*packets.Pubrec](p).ReasonCode)
	p.publish("full/a", "x", 0, nil)
	b.Act(Rule{On: Publish, Topic: "silent", Do: Silent})
	p.publish("silent", "x", 1, nil)
	p.reaches()
	sub.reaches()
	b.Act(Rule{On: Publish, Topic: "slow", Do: Wait, Delay: 20 * time.Millisecond})
	p.publish("slow", "later", 1, nil)
	p.publish("fast", "sooner", 1, nil)
	sub.gets("sooner")
	sub.gets("later")
	require.Equal(t, uint64(4), b.Stats().Dropped)
	hear[*packets.Puback](p)
	hear[*packets.Puback](p)
	b.Act(Rule{On: Publish, Topic: "ends", Do: Disconnect, Reason: packets.DisconnectServerShuttingDown})
	p.publish("ends", "x", 0, nil)
	require.Equal(t, byte(packets.DisconnectServerShuttingDown), hear[*packets.Disconnect](p).ReasonCode)
	p, _ = connect(t, b, "p", nil)
	b.Act(Rule{On: Publish, Topic: "hangup", Do: Hangup})
	p.publish("hangup", "x", 0, nil)
	p.ends()
}

func TestDeliverByTheScript(t *testing.T) {
	b := newBroker(t, Options{})
	sub, _ := connect(t, b, "sub", nil)
	sub.subscribe(0, packets.SubOptions{Topic: "#"})
	p, _ := connect(t, b, "p", nil)
	act := func(do Do, delay time.Duration, messages ...string) {
		rule := b.Act(Rule{On: Deliver, Client: "sub", Do: do, Delay: delay, Count: 1})
		for _, m := range messages {
			p.publish("a", m, 0, nil)
		}
		p.reaches()
		rule.End()
	}
	act(Lose, 0, "lost", "1")
	sub.gets("1")
	act(Twice, 0, "2")
	sub.gets("2")
	sub.gets("2")
	act(Behind, patience, "4", "3")
	sub.gets("3")
	sub.gets("4")
	act(Behind, 0, "5")
	sub.gets("5")
	act(Wait, 20*time.Millisecond, "7", "6")
	sub.gets("6")
	sub.gets("7")
	both := b.Act(Rule{On: Deliver, Do: Behind, Delay: patience})
	p.publish("a", "9", 0, nil)
	p.publish("a", "8", 0, nil)
	sub.gets("8")
	sub.gets("9")
	both.End()
}

// What waits is thrown away when the broker is closed.
func TestCloseWithWorkWaiting(t *testing.T) {
	b := newBroker(t, Options{})
	p, _ := connect(t, b, "p", nil)
	b.Act(Rule{On: Publish, Do: Wait, Delay: time.Hour})
	p.publish("a", "x", 1, nil)
	p.reaches()
	require.NoError(t, b.Close())
	p.ends()
}

func TestRate(t *testing.T) {
	b := newBroker(t, Options{})
	p, _ := connect(t, b, "p", nil)
	rule := b.Act(Rule{On: Publish, Do: Silent, Rate: 0.5})
	for range 200 {
		p.publish("a", "x", 0, nil)
	}
	p.reaches()
	require.Greater(t, rule.Hits(), uint64(60))
	require.Less(t, rule.Hits(), uint64(140))
}
