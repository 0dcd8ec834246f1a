package tap

import (
	"time"
)

// write takes packets from the queue and writes them until the queue is closed.
func (p *pump) write() {
	for it := range p.queue {
		p.taken(it)
		if it.last {
			p.end(it.reset)
			continue
		}
		if it.behind > 0 {
			p.swap(it)
			continue
		}
		p.put(it)
	}
}

// taken makes room for as much as a packet has taken.
func (p *pump) taken(it item) {
	p.bytes.Add(-int64(len(it.Raw)))
	select {
	case p.room <- struct{}{}:
	default:
	}
}

// swap writes a packet after the one behind it, if that comes in time.
func (p *pump) swap(it item) {
	patience := time.NewTimer(it.behind)
	defer patience.Stop()
	select {
	case next, ok := <-p.queue:
		if !ok {
			p.put(it)
			return
		}
		p.taken(next)
		if next.last {
			p.put(it)
			p.end(next.reset)
			return
		}
		p.put(next)
	case <-patience.C:
	case <-p.conn.ctx.Done():
	}
	p.put(it)
}

// put writes one packet in the way it was told.
func (p *pump) put(it item) {
	if !it.at.IsZero() && !p.pause(time.Until(it.at)) || p.finished.Load() || p.conn.ctx.Err() != nil {
		return
	}
	if it.cut {
		p.send(it.Raw[:len(it.Raw)/2], it)
		p.conn.reset()
		return
	}
	if hook := p.conn.tap.options.Hooks.Forwarding; hook != nil {
		hook(&it.Packet)
	}
	p.send(it.Raw, it)
}

// send writes bytes, in pieces and slowly if the packet was told so. What cannot be written ends
// the connection, as it would without a proxy.
func (p *pump) send(raw []byte, it item) {
	piece := len(raw)
	if it.pieces > 0 {
		piece = it.pieces
	}
	if it.throttle > 0 {
		piece = min(piece, max(it.throttle/20, 1)) // about 20 writes a second
	}
	for len(raw) > 0 {
		n := min(piece, len(raw))
		if _, err := p.to.Write(raw[:n]); err != nil {
			if !p.finished.Load() {
				p.conn.reset()
			}
			return
		}
		raw = raw[n:]
		if it.throttle > 0 && !p.pause(time.Duration(n)*time.Second/time.Duration(it.throttle)) {
			return
		}
	}
}

// pause waits; false: the connection is to end.
func (p *pump) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.conn.ctx.Done():
		return false
	}
}

// end passes on how the source has ended.
func (p *pump) end(reset bool) {
	if reset {
		p.conn.reset()
		return
	}
	p.finish()
}

// finish sends a FIN, after which nothing is forwarded in this direction.
func (p *pump) finish() {
	if p.finished.CompareAndSwap(false, true) {
		_ = p.to.CloseWrite() // an error means that it is closed already
	}
}
