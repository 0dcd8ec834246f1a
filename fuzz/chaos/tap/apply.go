package tap

import (
	"encoding/binary"
	"slices"
	"time"
)

// apply does to a packet what the faults that are on say, in the order in which they were
// switched on. It returns how often the packet is to be forwarded; false: not at all.
func (p *pump) apply(it *item, header int) (copies int, ok bool) {
	copies = 1
	for _, i := range *p.conn.tap.active.Load() {
		if !i.matches(&it.Packet) || !i.hit(p.rand) {
			continue
		}
		switch i.Kind {
		case Duplicate:
			copies++
		case Drop:
			return 0, false
		case Swallow:
			p.conn.swallowed.CompareAndSwap(nil, i)
			return 0, false
		case Stall:
			select {
			case <-i.ended:
			case <-p.conn.ctx.Done():
				return 0, false
			}
		case Reset:
			p.conn.reset()
			return 0, false
		case HalfClose:
			p.enqueue(item{last: true})
			return 0, false
		default:
			p.change(it, i, header)
		}
	}
	// One that was to vanish with all that is on the connection stays away.
	return copies, p.conn.swallowed.Load() == nil
}

// change applies a fault that forwards the packet, but otherwise than it was.
func (p *pump) change(it *item, i *Injection, header int) {
	switch i.Kind {
	case Delay:
		wait := i.Delay
		if i.Jitter > 0 {
			wait += time.Duration(p.rand.Int64N(int64(i.Jitter)))
		}
		it.at = time.Now().Add(wait)
	case Reorder:
		it.behind = i.Delay
	case CutShort:
		it.cut = true
	case Split:
		it.pieces = i.Bytes
	case Throttle:
		it.throttle = i.Bytes
	case RewriteAck:
		p.tamper(it, acknowledgement(it.Raw[0], it.PacketID, i.Reason))
	case CorruptPayload:
		p.tamper(it, p.flip(it.Raw, header, len(it.Raw)))
	case CorruptFraming:
		p.tamper(it, p.flip(it.Raw, 0, min(header, len(it.Raw))))
	case DropBytes:
		n := min(i.Bytes, len(it.Raw))
		at := p.rand.IntN(len(it.Raw) - n + 1)
		p.tamper(it, slices.Delete(slices.Clone(it.Raw), at, at+n))
	}
}

// tamper replaces the bytes of a packet.
func (p *pump) tamper(it *item, raw []byte) {
	was := it.Was
	if was == nil {
		before := it.Packet
		was = &before
	}
	changed := Packet{Conn: it.Conn, Dir: it.Dir, Tampered: true, Was: was}
	it.Tampered, it.Was = true, was
	if len(raw) > 0 {
		if _, err := changed.parse(raw, byte(p.conn.version.Load())); err == nil && !it.Broken {
			changed.Client = it.Client // a CONNECT may say another one now
			it.Packet = changed
			return
		}
	}
	it.Raw, it.Broken = raw, true
}

// flip returns a copy with one bit changed in raw[from:to].
func (p *pump) flip(raw []byte, from, to int) []byte {
	changed := slices.Clone(raw)
	if from < to {
		changed[from+p.rand.IntN(to-from)] ^= 1 << p.rand.IntN(8)
	}
	return changed
}

// acknowledgement is a PUBACK or PUBREC with a reason (MQTT 5 section 3.4).
func acknowledgement(first byte, packetID uint16, reason byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{first, 3}, packetID), reason)
}
