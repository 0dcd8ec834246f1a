package mqtt

import "github.com/flowsync-go/flowsync/core"

// blockSize is how many bytes of requests are handed over in one write, roughly. What was
// marked as sent cannot end as not_published any more, so it should not be a lot.
const blockSize = 32 << 10

// block is whole packets one after the other, and whose they are.
type block struct {
	buf     []byte
	entries []entry
	waiting int // bytes as they were counted when they were queued
}

// entry is one packet in a block. A zero id: a message that is no request.
type entry struct {
	account  *account
	id       core.ID
	end      int    // in block.buf
	packetID uint16 // with QoS 1 and 2
}

// add says whose the bytes are that were appended last.
func (b *block) add(a *account, id core.ID, packetID uint16) {
	b.waiting = len(b.buf)
	b.entries = append(b.entries, entry{a, id, len(b.buf), packetID})
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

// keep drops the packets that wanted does not agree to, and closes the gaps.
func (b *block) keep(wanted func(*entry) bool) {
	n, kept, start := 0, 0, 0
	for i := range b.entries {
		e := &b.entries[i] // in place: a copy would be put on the heap for wanted
		end := e.end
		if wanted(e) {
			if kept == start {
				kept = end
			} else {
				kept += copy(b.buf[kept:], b.buf[start:end])
			}
			b.entries[n] = *e
			n++
		}
		start = end
	}
	b.buf, b.entries = b.buf[:kept], b.entries[:n]
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
		b.buf, b.entries, b.waiting = b.buf[:0], b.entries[:0], 0
		q.spare = append(q.spare, b)
	}
}
