package broker

import "math/rand/v2"

// Options of a broker.
type Options struct {
	// Listen is the address; "": a free port of 127.0.0.1.
	Listen string
	// Rand decides what rules with a Rate hit. nil: seeded with 1.
	Rand *rand.Rand
	// NoSubscriberCode answers QoS 1 and 2 publishes that nobody gets with 0x10.
	NoSubscriberCode bool
	// ReceiveMaximum of CONNACK; 0: 65535.
	ReceiveMaximum uint16
	// MaxPacket is the largest packet in bytes. 0: 1 MiB.
	MaxPacket int
	// MaxQueue is how many messages wait for one subscriber; what is more is dropped and counted.
	// 0: 10 000.
	MaxQueue int
}

// Stats count since the broker began.
type Stats struct {
	Connects, Publishes, Delivered, Dropped uint64
}

// Broker is a running broker.
type Broker struct{}

// New listens and serves.
func New(o Options) (*Broker, error) { return &Broker{}, nil }

// Addr is where it listens.
func (b *Broker) Addr() string { return "" }

// Act switches a rule on.
func (b *Broker) Act(r Rule) *Acting { return &Acting{} }

// Disconnect ends the connections of all clients whose id matches the pattern, with a reason such
// as 0x8E (session taken over), and returns how many these were.
func (b *Broker) Disconnect(client string, reason byte) int { return 0 }

// Forget ends the sessions of all clients whose id matches the pattern and are away, as a broker
// does that was started again.
func (b *Broker) Forget(client string) int { return 0 }

// Stats returns what was counted.
func (b *Broker) Stats() Stats { return Stats{} }

// Close ends everything.
func (b *Broker) Close() error { return nil }
