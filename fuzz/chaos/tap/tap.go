package tap

import "math/rand/v2"

// Packet is one MQTT packet. It and its byte slices are valid during the call only.
type Packet struct {
	Conn     uint64 // number of the connection, from 1
	Client   string // client id of its CONNECT
	Dir      Dir
	Type     byte // MQTT control packet type, 1 CONNECT … 14 DISCONNECT
	QoS      byte
	Dup      bool
	Retain   bool
	PacketID uint16
	Reason   byte // of acknowledgements
	Topic    string
	Payload  []byte
	// CorrelationData is the MQTT 5 property of that name, nil if there is none.
	CorrelationData []byte
	Raw             []byte // all bytes of the packet
	Copy            bool   // made by Duplicate
	Tampered        bool   // changed by a fault; the fields are those of the changed packet, if it can be read
}

// Hooks are told of what happens. They are called on the goroutine that forwards, must be quick,
// and may be called for several connections at once. Any may be nil.
type Hooks struct {
	Opened func(conn uint64)
	// Seen is told of a packet when its last byte has been read, before any fault is applied and
	// any of its bytes forwarded.
	Seen func(*Packet)
	// Forwarding is told of a packet just before its first byte is forwarded, as it is forwarded.
	// A packet that is dropped or swallowed never gets here.
	Forwarding func(*Packet)
	// Partial is told of the beginning of a packet whose rest never came.
	Partial func(p *Packet, got, length int)
	// Closed is called once, when nothing more is forwarded in either direction.
	Closed func(conn uint64)
}

// Options of a tap.
type Options struct {
	// Listen is the address to listen on; "": a free port of 127.0.0.1.
	Listen string
	// Broker is the address that connections are forwarded to. Required.
	Broker string
	// Rand decides what is hit. Required; the tap has it for itself from now on.
	Rand *rand.Rand
	// MaxPacket is the largest packet in bytes; a larger one ends its connection. 0: 2 MiB.
	MaxPacket int
	Hooks     Hooks
}

// Tap forwards connections.
type Tap struct{}

// New listens and begins to forward.
func New(o Options) (*Tap, error) { return &Tap{}, nil }

// Addr is where it listens, "127.0.0.1:port"; it stays the same for the tap's life.
func (t *Tap) Addr() string { return "" }

// Broker changes where new connections are forwarded to.
func (t *Tap) Broker(addr string) {}

// Inject switches a fault on, for connections that there are and those to come.
func (t *Tap) Inject(f Fault) *Injection { return &Injection{} }

// Break does Reset or HalfClose at once to all connections whose client id contains the text, and
// returns how many these were.
func (t *Tap) Break(kind Kind, client string) int { return 0 }

// Conns is how many connections are open now.
func (t *Tap) Conns() int { return 0 }

// Close ends all connections and waits for its goroutines.
func (t *Tap) Close() error { return nil }
