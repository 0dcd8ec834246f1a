package mqtt

import (
	"log/slog"
	"strings"
	"sync"

	"github.com/eclipse/paho.golang/paho"

	"github.com/flowsync-go/flowsync/core"
)

// BrokerInfo is what the broker can do, as far as it has told. The zero value: it never accepted
// a connection.
type BrokerInfo struct {
	Version        string // of MQTT: "5"
	ReceiveMaximum int    // messages of QoS 1 and 2 that it takes before it has acknowledged some
	MaxPacket      int    // bytes of the largest packet that it takes; 0: any
	MaxQoS         byte
	// Retain, Wildcards, SharedSubscriptions and SubscriptionIdentifiers say whether it has them.
	Retain                  bool
	Wildcards               bool
	SharedSubscriptions     bool
	SubscriptionIdentifiers bool
	// NoSubscriber says whether it tells when nobody is subscribed to what is published (0x10).
	NoSubscriber Report
}

// Report says whether the broker tells that nobody is subscribed.
type Report uint8

const (
	Unknown  Report = iota // it was not asked, for no node fails fast; or it has not answered
	Reported               // it does
	NotSeen                // it does not, or somebody subscribes to everything
	Refused                // it does not let us publish where we asked, or ended the connection when we did
)

var reportNames = [...]string{"not known", "yes", "not seen", "refused"}

// String returns "not known", "yes", "not seen" or "refused".
func (r Report) String() string { return reportNames[r] }

// Broker returns what is known of the broker, as of the last connection.
func (b *Bus) Broker() BrokerInfo {
	b.knowledge.mu.Lock()
	defer b.knowledge.mu.Unlock()
	return b.knowledge.info
}

// knowledge is what we know of the broker, and whom it concerns.
//
// CONNACK tells most. Whether it reports that nobody is subscribed shows only when something is
// published that nobody is subscribed to: an empty message of QoS 1 on the topic of the first node
// that fails fast, with /probe behind it, never retained, which expires after a second. Without such
// a node nobody needs to know, and nothing is published that nobody asked for. Some brokers end the
// connection of who publishes where he may not: then the probe is given up, see maxUnanswered.
type knowledge struct {
	bus *Bus
	log *slog.Logger

	mu    sync.Mutex // guards all below
	info  BrokerInfo
	told  BrokerInfo
	nodes []*core.Node

	unanswered int // connections in a row that ended before the probe was answered, or have not yet
}

const probeSuffix = "/probe"

// maxUnanswered is how many connections may end, one after the other, before the probe is answered.
const maxUnanswered = 2

func (k *knowledge) init(b *Bus) {
	k.bus, k.log = b, b.broker.Logger.With("broker", b.broker.name)
}

// attach comes before the node's first request.
func (k *knowledge) attach(node *core.Node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.nodes = append(k.nodes, node)
	if k.told.Version != "" {
		k.doubt([]*core.Node{node})
	}
}

// meet looks at a new connection that publishes, before it is used.
func (k *knowledge) meet(s *session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	report := k.info.NoSubscriber
	k.info = infoOf(s.connack.Properties)
	k.info.NoSubscriber = report
	if topic := k.probeTopic(); topic != "" && k.info.MaxQoS > 0 && k.mayAsk(topic) && s.conn.probe(topic) {
		k.unanswered++
		return // it is told when the broker has answered
	}
	k.tell()
}

// mayAsk says whether the probe has not been given up; k.mu is held.
func (k *knowledge) mayAsk(topic string) bool {
	if k.unanswered < maxUnanswered {
		return true
	}
	if k.info.NoSubscriber == Unknown || k.info.NoSubscriber == NotSeen {
		k.log.Warn("the probe is given up: each time it was published the connection ended; allow it in the broker's access rules",
			"topic", topic)
		k.info.NoSubscriber = Refused
	}
	return false
}

// probeTopic is where to ask; empty: nobody needs to know. k.mu is held.
func (k *knowledge) probeTopic() string {
	for _, node := range k.nodes {
		if topic := node.Topic() + probeSuffix; node.FailFast() && ValidateTopic(topic) == nil {
			return topic
		}
	}
	return ""
}

// reported is told of 0x10 that came to a request.
func (k *knowledge) reported() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.info.NoSubscriber = Reported
	k.tell()
}

// probed is told what the broker says to the probe.
func (k *knowledge) probed(a *ack) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unanswered = 0
	switch {
	case a.reason == reasonNoSubscribers:
		k.info.NoSubscriber = Reported
	case a.reason >= reasonFailure:
		if k.info.NoSubscriber != Refused {
			k.log.Warn("the broker refused the probe", "topic", k.probeTopic(), "reason", reasonText(a.reason, a.words))
		}
		k.info.NoSubscriber = Refused
	default:
		k.info.NoSubscriber = NotSeen
	}
	k.tell()
}

// tell logs what is new; k.mu is held.
func (k *knowledge) tell() {
	if k.info == k.told {
		return
	}
	k.told = k.info
	k.log.Info("what the broker can do", "mqtt", k.info.Version, "receive_maximum", k.info.ReceiveMaximum,
		"max_packet", k.info.MaxPacket, "max_qos", k.info.MaxQoS, "retain", k.info.Retain,
		"wildcards", k.info.Wildcards, "shared_subscriptions", k.info.SharedSubscriptions,
		"reports_no_subscriber", k.info.NoSubscriber.String())
	k.doubt(k.nodes)
}

// smallPacket is less than brokers take by themselves, and than the 100 000 bytes that an HTTP
// request may have if nothing else is said.
const smallPacket = 100_000

// doubt warns of what nodes ask for and the broker cannot do; k.mu is held.
func (k *knowledge) doubt(nodes []*core.Node) {
	warn := func(text string, concerns func(*core.Node) bool) {
		var names []string
		for _, node := range nodes {
			if concerns(node) {
				names = append(names, node.Name())
			}
		}
		if n := len(names); n > 0 {
			const most = 5
			k.log.Warn(text, "nodes", strings.Join(names[:min(n, most)], ", "), "count", n)
		}
	}
	if k.info.NoSubscriber == NotSeen || k.info.NoSubscriber == Refused {
		warn("failFast may have no effect: the broker did not report that nobody is subscribed to the probe, "+
			"because it never does, because somebody is subscribed to everything, or because its access rules forbid it",
			(*core.Node).FailFast)
	}
	if !k.info.Retain {
		warn("requests will fail: the broker does not allow retained messages", (*core.Node).Retain)
	}
	warn("requests will fail: the broker does not allow their QoS", func(n *core.Node) bool { return n.QoS() > k.info.MaxQoS })
	if k.info.MaxPacket > 0 && k.info.MaxPacket < smallPacket {
		warn("large requests will fail: the broker takes only small packets", func(*core.Node) bool { return true })
	}
}

// defaultReceiveMaximum is that of a broker who does not mention it (MQTT 5 §3.2.2.3.3).
const defaultReceiveMaximum = 65535

// infoOf reads what CONNACK says; what it does not mention has the default of MQTT 5.
func infoOf(p *paho.ConnackProperties) BrokerInfo {
	info := BrokerInfo{
		Version: "5", ReceiveMaximum: defaultReceiveMaximum, MaxQoS: 2, Retain: p.RetainAvailable,
		Wildcards: p.WildcardSubAvailable, SharedSubscriptions: p.SharedSubAvailable, SubscriptionIdentifiers: p.SubIDAvailable,
	}
	if p.MaximumPacketSize != nil {
		info.MaxPacket = int(*p.MaximumPacketSize)
	}
	if p.MaximumQoS != nil {
		info.MaxQoS = *p.MaximumQoS
	}
	if p.ReceiveMaximum != nil {
		info.ReceiveMaximum = int(*p.ReceiveMaximum)
	}
	return info
}
