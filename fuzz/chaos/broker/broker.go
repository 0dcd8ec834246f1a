package broker

import (
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Options of a broker.
type Options struct {
	// Listen is the address; "": a free port of 127.0.0.1.
	Listen string
	// Rand decides what rules with a Rate hit; the broker has it for itself. nil: seeded with 1.
	Rand *rand.Rand
	// NoSubscriberCode answers publishes of QoS 1 and 2 that nobody gets with 0x10.
	NoSubscriberCode bool
	// ReceiveMaximum that clients are told; who has more unanswered is disconnected. 0: 65535.
	ReceiveMaximum uint16
	// MaxPacket is the largest packet in bytes. 0: 1 MiB.
	MaxPacket int
	// MaxQueue is how many messages wait for one subscriber; what is more is dropped and counted.
	// 0: 10 000.
	MaxQueue int
}

// The other bounds.
const (
	maxClients  = 1024
	maxSessions = 4096
	maxRetained = 4096
	maxDelayed  = 10_000 // messages that wait because a rule says so
	maxControl  = 10_000 // acknowledgements that wait to be written to one client
)

// Stats count since the broker began.
type Stats struct {
	Connects  uint64 // accepted
	Publishes uint64 // accepted
	Delivered uint64 // handed to a connection
	Dropped   uint64 // because a queue was full, or a rule said so
}

// Broker is a running broker.
type Broker struct {
	options  Options
	listener net.Listener
	wg       sync.WaitGroup

	mu        sync.Mutex // guards all below and all sessions and clients; nothing blocks under it
	rand      *rand.Rand
	script    []*Acting
	sessions  map[string]*session
	clients   map[*client]bool
	retained  map[string]*message
	turns     map[string]int // whose turn it is in a shared subscription
	timers    map[*time.Timer]bool
	anonymous int
	stats     Stats
	closed    bool
}

// New listens and serves.
func New(o Options) (*Broker, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(1, 1))
	}
	if o.ReceiveMaximum == 0 {
		o.ReceiveMaximum = 65535
	}
	if o.MaxPacket == 0 {
		o.MaxPacket = 1 << 20
	}
	if o.MaxQueue == 0 {
		o.MaxQueue = 10_000
	}
	l, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, err
	}
	b := &Broker{
		options: o, listener: l, rand: o.Rand,
		sessions: make(map[string]*session), clients: make(map[*client]bool), retained: make(map[string]*message),
		turns: make(map[string]int), timers: make(map[*time.Timer]bool),
	}
	b.wg.Go(b.accept)
	return b, nil
}

// Addr is where it listens, "127.0.0.1:port".
func (b *Broker) Addr() string { return b.listener.Addr().String() }

func (b *Broker) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return // nothing but Close ends it, or want of descriptors, which ends the test
		}
		b.mu.Lock()
		if b.closed || len(b.clients) >= maxClients {
			b.mu.Unlock()
			conn.Close()
			continue
		}
		c := newClient(b, conn)
		b.clients[c] = true
		b.wg.Go(c.read)
		b.wg.Go(c.write)
		b.mu.Unlock()
	}
}

// Disconnect ends the connections of all clients whose id matches the pattern, with a reason such
// as 0x8E (session taken over), and returns how many these were. Their sessions stay.
func (b *Broker) Disconnect(client string, reason byte) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, s := range b.sessions {
		if s.client != nil && named(client, id) {
			s.client.disconnectLocked(reason)
			n++
		}
	}
	return n
}

// Forget ends the sessions of all clients whose id matches the pattern and which are away, as a
// broker does that was started again, and returns how many these were.
func (b *Broker) Forget(client string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, s := range b.sessions {
		if s.client == nil && named(client, id) {
			delete(b.sessions, id)
			n++
		}
	}
	return n
}

// Clients are the ids of those that are connected, in no order.
func (b *Broker) Clients() (ids []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, s := range b.sessions {
		if s.client != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// Stats returns what was counted.
func (b *Broker) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stats
}

// Close ends all connections and waits for the broker's goroutines. It may be called more than once.
func (b *Broker) Close() error {
	b.mu.Lock()
	b.closed = true
	for c := range b.clients {
		c.hangupLocked()
	}
	for t := range b.timers {
		if t.Stop() {
			b.wg.Done()
		}
	}
	clear(b.timers)
	b.mu.Unlock()
	b.listener.Close()
	b.wg.Wait()
	return nil
}

// laterLocked does something after a delay, under the lock, unless the broker is closed before.
// False: too much waits already.
func (b *Broker) laterLocked(delay time.Duration, do func()) bool {
	if len(b.timers) >= maxDelayed || b.closed {
		return false
	}
	b.wg.Add(1)
	var t *time.Timer
	t = time.AfterFunc(delay, func() {
		defer b.wg.Done()
		b.mu.Lock()
		defer b.mu.Unlock()
		if delete(b.timers, t); !b.closed {
			do()
		}
	})
	b.timers[t] = true
	return true
}
