package tap

import (
	"fmt"
	"time"
)

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

// The kinds. The first group is done to packets that match, the second to the bytes of them, the
// third to connections as a whole or to the listener.
const (
	Drop           Kind = iota + 1 // a packet is not forwarded
	Delay                          // a packet waits, and all behind it
	Duplicate                      // a packet is forwarded twice
	Reorder                        // a packet is forwarded after the one behind it
	CorruptPayload                 // a bit of a PUBLISH's payload is flipped
	RewriteAck                     // PUBACK and PUBREC get another reason
	CutShort                       // half of a packet is forwarded, then the connection is reset
	Reset                          // the connection is reset (RST) instead of forwarding a packet
	HalfClose                      // instead of a packet and all behind it, a FIN is forwarded

	CorruptFraming // a bit before a packet's payload is flipped
	DropBytes      // some bytes of a packet are left out: the stream is broken
	Split          // packets are written in pieces
	Throttle       // so many bytes a second

	Stall   // nothing more is read: the sender's socket fills up
	Swallow // everything is read and nothing forwarded, as if the other side had vanished; reset at its end
	Refuse  // nobody listens: new connections are refused
	Slam    // new connections are accepted, and reset at once
	kindEnd
)

var kindNames = [kindEnd]string{
	"", "drop", "delay", "duplicate", "reorder", "corrupt-payload", "rewrite-ack", "cut-short", "reset", "half-close",
	"corrupt-framing", "drop-bytes", "split", "throttle", "stall", "swallow", "refuse", "slam",
}

// String returns the kind's name, such as "cut-short".
func (k Kind) String() string {
	if k == 0 || k >= kindEnd {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// Fault says what is done, where and how often.
type Fault struct {
	Kind Kind
	Dir  Dir // 0: Both
	// Client restricts it to connections whose client id contains this text; "": all. Connections
	// that have not said CONNECT yet match "" only.
	Client string
	// Type restricts it to packets of one MQTT type; 0: any but CONNECT and CONNACK. Stall,
	// Swallow and Throttle are done to a connection, whatever is on it.
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
	// Bytes are the bytes a second of Throttle (required), the size of a piece of Split (0: 1), and
	// how many DropBytes leaves out (0: 1).
	Bytes int
	// Reason is what RewriteAck puts in.
	Reason byte
}

// check says what is wrong with a fault, and fills in what it leaves out.
func (f *Fault) check() error {
	switch {
	case f.Kind == 0 || f.Kind >= kindEnd:
		return fmt.Errorf("tap: %v is no kind of fault", f.Kind)
	case f.Dir > Both:
		return fmt.Errorf("tap: %d is no direction", f.Dir)
	case f.Rate < 0 || f.Rate > 1:
		return fmt.Errorf("tap: a fault has a rate of %v, want 0 to 1", f.Rate)
	case f.Count < 0 || f.Bytes < 0 || f.Delay < 0 || f.Jitter < 0:
		return fmt.Errorf("tap: a fault of kind %v has a negative number", f.Kind)
	case f.Kind == Throttle && f.Bytes == 0:
		return fmt.Errorf("tap: Throttle needs Bytes, the bytes a second")
	}
	if f.Dir == 0 {
		f.Dir = Both
	}
	if f.Kind == Reorder && f.Delay == 0 {
		f.Delay = 50 * time.Millisecond
	}
	f.Bytes = max(f.Bytes, 1)
	return nil
}

// whole says that the fault is done to connections, not to packets.
func (f *Fault) whole() bool { return f.Kind == Stall || f.Kind == Swallow || f.Kind == Throttle }
