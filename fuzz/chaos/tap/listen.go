package tap

import (
	"errors"
	"net"
	"time"
)

// reopenFor is how long the tap tries to get its port back after it has refused connections.
const reopenFor = 5 * time.Second

// serve accepts on l until it is closed.
func (t *Tap) serve(l net.Listener) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.refusing > 0 {
		l.Close()
		return
	}
	t.listener = l
	t.wg.Go(func() { t.acceptFrom(l) })
}

func (t *Tap) acceptFrom(l net.Listener) {
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			t.admit(c.(*net.TCPConn))
		case errors.Is(err, net.ErrClosed):
			return
		default: // want of descriptors, which passes
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// refuseLocked closes the listener, so that the kernel refuses.
func (t *Tap) refuseLocked() {
	t.refusing++
	if t.listener != nil {
		t.listener.Close()
		t.listener = nil
	}
}

// accept listens again, when the last fault that refuses is over.
func (t *Tap) accept() {
	t.mu.Lock()
	t.refusing--
	again := t.refusing == 0 && !t.closed
	t.mu.Unlock()
	if !again {
		return
	}
	for deadline := time.Now().Add(reopenFor); ; {
		l, err := net.Listen("tcp", t.addr)
		if err == nil {
			t.serve(l)
			return
		}
		if t.ctx.Err() != nil {
			return
		}
		if time.Now().After(deadline) {
			panic("tap: somebody else has taken the port meanwhile: " + err.Error())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// admit begins to forward a connection, unless a fault says otherwise.
func (t *Tap) admit(client *net.TCPConn) {
	for _, i := range *t.active.Load() {
		if i.Kind == Slam {
			i.hits.Add(1)
			abort(client)
			return
		}
	}
	t.mu.Lock()
	if t.closed || len(t.conns) >= maxConns {
		t.mu.Unlock()
		abort(client)
		return
	}
	t.last++
	c := newConn(t, t.last, client, t.broker)
	t.conns[c.number] = c
	t.wg.Go(c.run)
	t.mu.Unlock()
}

// abort ends a connection with RST.
func abort(c *net.TCPConn) {
	_ = c.SetLinger(0) // without it close sends FIN; an error means that it is closed already
	_ = c.Close()
}
