package mqtt

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// blockSize is how many bytes of requests are handed over in one write, roughly. What was
// marked as sent cannot end as not_published any more, so it should not be a lot.
const blockSize = 32 << 10

// block is whole packets one after the other, and whose they are.
type block struct {
	buf     []byte
	entries []entry
	waiting int       // bytes as they were counted when they were queued
	since   time.Time // when the packet was encoded that is waiting longest
}

// entry is one packet in a block. A zero id: a message that is no request.
type entry struct {
	account  *account
	id       core.ID
	deadline time.Time
	end      int    // in block.buf
	packetID uint16 // with QoS 1 and 2
}

// add says whose the bytes are that were appended last.
func (b *block) add(p *parcel, packetID uint16) {
	b.waiting = len(b.buf)
	if b.since.IsZero() || p.since.Before(b.since) {
		b.since = p.since
	}
	b.entries = append(b.entries, entry{p.account, p.id, p.deadline, len(b.buf), packetID})
}

// discharge takes the packets off their accounts: they do not wait in the queue any more.
func (b *block) discharge() {
	start := 0
	for i := range b.entries {
		e := &b.entries[i]
		e.account.add(start - e.end)
		start = e.end
	}
}

// keep drops the packets that wanted does not agree to, closes the gaps, and has the others say
// how much time is left now.
func (b *block) keep(now time.Time, wanted func(*entry) bool) {
	late := now.Sub(b.since) >= noticeable
	n, kept, start := 0, 0, 0
	for i := range b.entries {
		e := &b.entries[i] // in place: a copy would be put on the heap for wanted
		end := e.end
		if wanted(e) {
			switch {
			case late && !e.id.IsZero():
				kept += setTimeLeft(b.buf[kept:], b.buf[start:end], e.deadline.Sub(now))
			case kept == start:
				kept = end
			default:
				kept += copy(b.buf[kept:], b.buf[start:end])
			}
			b.entries[n] = *e
			n++
		}
		start = end
	}
	b.buf, b.entries = b.buf[:kept], b.entries[:n]
}

// parcels returns the packets one by one, copied for those who go back to a room.
func (b *block) parcels() []parcel {
	all := make([]parcel, len(b.entries))
	start := 0
	for i := range b.entries {
		e := &b.entries[i]
		all[i] = parcel{account: e.account, id: e.id, deadline: e.deadline, since: b.since}
		if e.account.room() != nil {
			all[i].packet = append([]byte(nil), b.buf[start:e.end]...)
		}
		start = e.end
	}
	return all
}

// queue is what waits to be written with QoS 0, in blocks, the oldest first. Whoever owns it
// guards it.
type queue struct {
	blocks []*block
	spare  []*block // to be used again, at most spareBlocks
}

const spareBlocks = 16

// tail returns the block to append to.
func (q *queue) tail() *block {
	if n := len(q.blocks); n > 0 && len(q.blocks[n-1].buf) < blockSize {
		return q.blocks[n-1]
	}
	var b *block
	if n := len(q.spare); n > 0 {
		b, q.spare = q.spare[n-1], q.spare[:n-1]
	} else {
		b = &block{buf: make([]byte, 0, blockSize+blockSize/4)}
	}
	q.blocks = append(q.blocks, b)
	return b
}

// pop takes out the oldest block, nil if there is none with a packet in it.
func (q *queue) pop() *block {
	if len(q.blocks) == 0 || len(q.blocks[0].entries) == 0 {
		return nil
	}
	b := q.blocks[0]
	n := copy(q.blocks, q.blocks[1:])
	q.blocks[n] = nil
	q.blocks = q.blocks[:n]
	b.discharge()
	return b
}

// recycle gives back a block that has been written.
func (q *queue) recycle(b *block) {
	if len(q.spare) < spareBlocks && cap(b.buf) >= blockSize && cap(b.buf) <= 4*blockSize {
		b.buf, b.entries, b.waiting, b.since = b.buf[:0], b.entries[:0], 0, time.Time{}
		q.spare = append(q.spare, b)
	}
}
