package tap

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const dialTimeout = 2 * time.Second

// conn is a client's connection and the one to the broker that belongs to it.
type conn struct {
	tap     *Tap
	number  uint64
	target  string
	client  *net.TCPConn
	ctx     context.Context // over when the connection is to end
	cancel  context.CancelFunc
	id      atomic.Pointer[string] // the client's, once it has said CONNECT
	version atomic.Int32           // of MQTT
	// swallowed is the fault that has taken something without forwarding it.
	swallowed atomic.Pointer[Injection]

	mu     sync.Mutex // guards all below
	broker *net.TCPConn
	up     *pump
	down   *pump
}

func newConn(t *Tap, number uint64, client *net.TCPConn, target string) *conn {
	c := &conn{tap: t, number: number, target: target, client: client}
	c.ctx, c.cancel = context.WithCancel(t.ctx)
	c.version.Store(5)
	return c
}

// run forwards until both directions have ended.
func (c *conn) run() {
	if c.tap.options.Hooks.Opened != nil {
		c.tap.options.Hooks.Opened(c.number)
	}
	c.forward()
	c.close()
	c.tap.mu.Lock()
	delete(c.tap.conns, c.number)
	c.tap.mu.Unlock()
	if c.tap.options.Hooks.Closed != nil {
		c.tap.options.Hooks.Closed(c.number)
	}
}

func (c *conn) forward() {
	dialer := net.Dialer{Timeout: dialTimeout}
	other, err := dialer.DialContext(c.ctx, "tcp", c.target)
	if err != nil {
		abort(c.client)
		return
	}
	broker := other.(*net.TCPConn)
	up, down := newPump(c, ToBroker, c.client, broker), newPump(c, ToClient, broker, c.client)
	c.mu.Lock()
	c.broker, c.up, c.down = broker, up, down
	c.mu.Unlock()
	if c.ctx.Err() != nil { // it was to end while there was nothing to close yet
		c.reset()
	}
	var wg sync.WaitGroup
	for _, p := range []*pump{up, down} {
		wg.Go(p.read)
		wg.Go(p.write)
	}
	wg.Wait()
}

func (c *conn) clientID() string {
	if id := c.id.Load(); id != nil {
		return *id
	}
	return ""
}

// sides returns the connections that there are.
func (c *conn) sides() []*net.TCPConn {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broker == nil {
		return []*net.TCPConn{c.client}
	}
	return []*net.TCPConn{c.client, c.broker}
}

// reset ends both sides with RST.
func (c *conn) reset() {
	c.cancel()
	for _, side := range c.sides() {
		abort(side)
	}
}

// close ends both sides.
func (c *conn) close() {
	c.cancel()
	for _, side := range c.sides() {
		_ = side.Close() // it may be closed already
	}
}

// halfClose forwards nothing more: both sides get a FIN.
func (c *conn) halfClose() {
	c.mu.Lock()
	pumps := []*pump{c.up, c.down}
	c.mu.Unlock()
	for _, p := range pumps {
		if p != nil {
			p.finish()
		}
	}
}
