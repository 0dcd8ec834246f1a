package embedded

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

const (
	portsTried    = 20 // AnyPort tries so many before it takes any
	handshakes    = 16 // connections above MaxClients that get as far as being told so
	minAcceptWait = 5 * time.Millisecond
	maxAcceptWait = time.Second
)

// listen opens the port.
func listen(addr string, anyPort bool) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("embedded: cannot listen on %s: %w", addr, err)
	}
	if !anyPort {
		return nil, fmt.Errorf("embedded: %s is in use: stop what listens there, name another port, or use that broker instead of the embedded one: %w", addr, err)
	}
	host, text, _ := net.SplitHostPort(addr)
	port, _ := net.LookupPort("tcp", text)
	for next := port + 1; next <= min(port+portsTried, 65535); next++ {
		if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(next))); err == nil {
			return l, nil
		}
	}
	if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
		return nil, fmt.Errorf("embedded: no free port on %s: %w", host, err)
	}
	return l, nil
}

// accept takes clients until the listener is closed. Running out of descriptors passes.
func (b *Broker) accept() {
	wait := minAcceptWait
	for {
		inner, err := b.listener.Accept()
		switch {
		case err == nil:
			wait = minAcceptWait
			b.admit(inner)
		case b.closed.Load() || errors.Is(err, net.ErrClosed):
			return
		default:
			b.log.Warn("embedded broker cannot accept a client, it tries again", "error", err, "wait", wait)
			select {
			case <-time.After(wait):
			case <-b.stop:
				return
			}
			wait = min(2*wait, maxAcceptWait)
		}
	}
}

// admit starts the two goroutines of a client: one reads, one writes.
func (b *Broker) admit(inner net.Conn) {
	remote := inner.RemoteAddr().String()
	c := newConn(inner, b.options.MaxBacklog, &b.budget, func(waiting int) {
		b.slow.report("remote", remote, "waiting", waiting)
		b.counters.slowClients.Add(1)
	})
	if !b.enlist(c) {
		_ = inner.Close()
		return
	}
	b.running.Go(c.run)
	b.running.Go(func() {
		defer b.delist(c)
		b.log.Debug("embedded broker: client connected", "remote", remote)
		err := b.server.EstablishConnection(listenerID, c)
		_ = c.Close() // the broker has done so, unless it never got as far
		<-c.ended
		b.log.Debug("embedded broker: client gone", "remote", remote, "error", err)
		if errors.Is(err, packets.ErrPacketTooLarge) {
			b.oversized.report("remote", remote, "limit", b.options.MaxPacket)
			b.counters.oversizedPackets.Add(1)
		}
	})
}

// enlist counts a client. False: there are too many, or the broker is closed.
func (b *Broker) enlist(c *conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return false
	}
	if len(b.conns) >= b.options.MaxClients+handshakes {
		b.counters.refused.Add(1)
		b.refused.report("remote", c.RemoteAddr().String(), "limit", b.options.MaxClients)
		return false
	}
	b.conns[c] = struct{}{}
	b.counters.clients.Store(int64(len(b.conns)))
	return true
}

func (b *Broker) delist(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
	b.counters.clients.Store(int64(len(b.conns)))
}
