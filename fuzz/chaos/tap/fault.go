package tap

import "time"

// Dir is a direction, or both.
type Dir uint8

// The directions.
const (
	ToBroker Dir = 1 << iota
	ToClient
	Both = ToBroker | ToClient
)

// Kind is what a fault does.
type Kind uint8

// The kinds. The first group is done to packets that match, the second to the bytes of
// connections, the third to connections as a whole or to the listener.
const (
	Drop           Kind = iota + 1 // a packet is not forwarded
	Delay                          // a packet waits, and all behind it
	Duplicate                      // a packet is forwarded twice
	Reorder                        // a packet is forwarded after the one behind it
	CorruptPayload                 // a bit of a PUBLISH's payload is flipped
	CorruptFraming                 // a bit of a packet's header is flipped
	CutShort                       // half of a packet is forwarded, then the connection is reset
	RewriteAck                     // PUBACK and PUBREC get another reason
	Reset                          // the connection is reset (RST) when a packet matches
	HalfClose                      // nothing more is forwarded in this direction: FIN

	DropBytes // some bytes of a packet are left out: the stream is broken
	Split     // packets are written in pieces
	Throttle  // so many bytes a second

	Stall   // nothing is read: the sender's socket fills up
	Swallow // everything is read and nothing forwarded, as if the other side had vanished; then reset
	Refuse  // nobody listens: connections are refused
	Slam    // connections are accepted and reset at once
)

// Fault says what is done, where and how often.
type Fault struct {
	Kind Kind
	Dir  Dir // 0: Both
	// Client restricts it to connections whose client id contains this text; "": all. Connections
	// that have not said CONNECT yet match "" only.
	Client string
	// Type restricts it to packets of one MQTT type; 0: any but CONNECT and CONNACK.
	Type byte
	// Topic restricts it to PUBLISH packets whose topic ends in this text; "": any packet.
	Topic string
	// Rate is how many of the packets that match are hit, 0 < Rate <= 1. 0: all.
	Rate float64
	// Count is how many packets are hit at most, over all connections; 0: no limit.
	Count int
	// Delay and Jitter (a random part on top) are for Delay; Delay is also how long Reorder waits
	// for a packet behind (0: 50 ms).
	Delay, Jitter time.Duration
	// Bytes are the bytes a second of Throttle, the size of a piece of Split (0: 1), and how many
	// DropBytes leaves out (0: 1).
	Bytes int
	// Reason is what RewriteAck puts in.
	Reason byte
}

// Injection is a fault that is switched on.
type Injection struct{}

// End switches the fault off. What it has delayed still comes. It may be called more than once.
func (i *Injection) End() {}

// Hits is how often it has done something.
func (i *Injection) Hits() uint64 { return 0 }
