package tap

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

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
	Tampered        bool   // changed by a fault
	// Broken says that it was changed so that it is no packet any more: the fields but Raw are
	// those that it had before.
	Broken bool
	Was    *Packet // what it was, if it was changed
}

// Hooks are told of what happens. They are called on the goroutines that forward, must be quick,
// and may be called for several connections and directions at once. Any may be nil.
type Hooks struct {
	Opened func(conn uint64)
	// Seen is told of a packet when its last byte has been read, before any fault is applied and
	// any of its bytes forwarded.
	Seen func(*Packet)
	// Forwarding is told of a packet just before its first byte is forwarded, as it is forwarded.
	// A packet that is dropped, swallowed or cut never gets here.
	Forwarding func(*Packet)
	// Partial is told of the beginning of a packet whose rest never came; length is 0 if not even
	// that did.
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
	// Rand seeds what is decided: which packets are hit depends on it, the number of the connection
	// and the packets before on the same connection and direction, not on how goroutines run.
	// Required; it is used during New only.
	Rand *rand.Rand
	// MaxPacket is the largest packet in bytes; a larger one ends its connection. 0: 2 MiB.
	MaxPacket int
	Hooks     Hooks
}

// maxConns bounds the connections; more are reset at once.
const maxConns = 1024

// Tap forwards connections.
type Tap struct {
	options Options
	seed    uint64
	addr    string
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	active  atomic.Pointer[[]*Injection] // copied on write, under mu

	mu       sync.Mutex // guards all below
	broker   string
	listener net.Listener // nil while connections are refused
	refusing int          // how many Refuse are on
	conns    map[uint64]*conn
	last     uint64
	closed   bool
}

// New listens and begins to forward.
func New(o Options) (*Tap, error) {
	if o.Broker == "" || o.Rand == nil {
		return nil, errors.New("tap: Broker and Rand are required")
	}
	if o.MaxPacket == 0 {
		o.MaxPacket = 2 << 20
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, err
	}
	t := &Tap{options: o, seed: o.Rand.Uint64(), addr: l.Addr().String(), broker: o.Broker, conns: make(map[uint64]*conn)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.active.Store(new([]*Injection))
	t.serve(l)
	return t, nil
}

// Addr is where it listens, "127.0.0.1:port"; it stays the same for the tap's life.
func (t *Tap) Addr() string { return t.addr }

// Broker changes where new connections are forwarded to.
func (t *Tap) Broker(addr string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broker = addr
}

// Inject switches a fault on, for the connections that there are and those to come. It panics if
// the fault makes no sense, which is a mistake of the program.
func (t *Tap) Inject(f Fault) *Injection {
	if err := f.check(); err != nil {
		panic(err)
	}
	i := &Injection{Fault: f, tap: t, ended: make(chan struct{})}
	i.left.Store(int64(f.Count))
	t.mu.Lock()
	defer t.mu.Unlock()
	active := append(slices.Clone(*t.active.Load()), i)
	t.active.Store(&active)
	if f.Kind == Refuse {
		t.refuseLocked()
	}
	return i
}

// remove takes a fault away.
func (t *Tap) remove(i *Injection) {
	t.mu.Lock()
	active := slices.DeleteFunc(slices.Clone(*t.active.Load()), func(other *Injection) bool { return other == i })
	t.active.Store(&active)
	close(i.ended)
	t.mu.Unlock()
	switch i.Kind {
	case Refuse:
		t.accept()
	case Swallow:
		t.each(func(c *conn) bool { return c.swallowed.Load() == i }, (*conn).reset)
	}
}

// Break does Reset or HalfClose (in both directions) at once to all connections whose client id
// contains the text, and returns how many these were.
func (t *Tap) Break(kind Kind, client string) int {
	do := (*conn).reset
	if kind == HalfClose {
		do = (*conn).halfClose
	}
	return t.each(func(c *conn) bool { return strings.Contains(c.clientID(), client) }, do)
}

// each does something to all connections that match, outside the lock.
func (t *Tap) each(match func(*conn) bool, do func(*conn)) int {
	t.mu.Lock()
	var found []*conn
	for _, c := range t.conns {
		if match(c) {
			found = append(found, c)
		}
	}
	t.mu.Unlock()
	for _, c := range found {
		do(c)
	}
	return len(found)
}

// Conns is how many connections are open now.
func (t *Tap) Conns() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.conns)
}

// Close ends all connections and waits for the tap's goroutines.
func (t *Tap) Close() error {
	t.mu.Lock()
	t.closed = true
	l := t.listener
	t.listener = nil
	t.mu.Unlock()
	t.cancel()
	if l != nil {
		l.Close()
	}
	t.each(func(*conn) bool { return true }, (*conn).close)
	t.wg.Wait()
	return nil
}
