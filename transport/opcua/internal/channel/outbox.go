package channel

import (
	"net"
	"sync"
	"time"
)

const (
	itemMessage = iota // body is that of a MSG
	itemOpen           // body is that of an OPN
	itemRaw            // body goes out as it is
)

// item waits to be written.
type item struct {
	kind     byte
	request  uint32
	body     []byte
	envelope *envelope // of an OPN
}

// itemOverhead is what an item counts for besides its body, so that MaxQueue bounds their number.
const itemOverhead = 128

func (i *item) weight() int { return len(i.body) + itemOverhead }

// outbox is what waits to be written on one connection, and how the connection ends.
type outbox struct {
	conn    net.Conn
	most    int           // bytes that may wait
	timeout time.Duration // of a write

	mu      sync.Mutex // guards all below; a leaf
	more    sync.Cond  // for the writer: there is something to do
	room    sync.Cond  // for the reader: enough is written, or the connection ends
	pending []item
	waiting int    // bytes in pending and in the writer's hands
	using   *token // what is sent is protected with; changes over when the client has
	newest  *token
	ending  bool
	words   *refusal  // the ERR that comes last; nil: none
	by      time.Time // when all must have been written, once it is ending
	linger  bool      // the peer is given time to read the end
}

func (o *outbox) init(conn net.Conn, most int, timeout time.Duration) {
	o.conn, o.most, o.timeout = conn, most, timeout
	o.more.L, o.room.L = &o.mu, &o.mu
}

// add queues i, or drops it when the connection is ending. When the queue is full the connection
// is closed on the spot: who does not read what it asked for does not read an ERR either.
func (o *outbox) add(i item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.addLocked(i)
}

func (o *outbox) addLocked(i item) {
	if o.ending {
		return
	}
	if o.waiting += i.weight(); o.waiting > o.most {
		o.endLocked(nil, false)
		_ = o.conn.Close() // does not wait for what was written
		return
	}
	o.pending = append(o.pending, i)
	if len(o.pending) == 1 {
		o.more.Signal()
	}
}

// issued queues the response with a new token. The first token is in use at once.
func (o *outbox) issued(t *token, i item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.newest = t; o.using == nil {
		o.using = t
	}
	o.addLocked(i)
}

// changeOver sends with t from now on: the client has used it.
func (o *outbox) changeOver(t *token) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.using = t
}

// end is how a connection ends: nothing is accepted any more, the writer writes what is left if
// flush is set, then the last words if there are some. The first call counts; it returns true.
func (o *outbox) end(words *refusal, flush bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.endLocked(words, flush)
}

func (o *outbox) endLocked(words *refusal, flush bool) bool {
	if o.ending {
		return false
	}
	o.ending, o.words, o.linger = true, words, flush || words != nil
	limit := min(o.timeout, lastWordsTime)
	if flush {
		limit = o.timeout
	} else {
		o.pending = nil
	}
	o.by = time.Now().Add(limit)
	_ = o.conn.SetWriteDeadline(o.by) // for a write that hangs already
	if !o.linger {
		_ = o.conn.Close() // frees reader and writer
	}
	o.more.Signal()
	o.room.Broadcast()
	return true
}

// await blocks the reader until no more waits than is enough; false: the connection ends.
func (o *outbox) await() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.waiting > o.enough() && !o.ending {
		o.room.Wait()
	}
	return !o.ending
}

// enough is how much may wait before the next request is read: a few writes, so that the writer
// does not starve, and clients that ask and do not read get little of our time and memory.
func (o *outbox) enough() int { return min(o.most/2, 4*flushSize) }

// readBy sets the reader's deadline, unless the connection ends, which sets its own.
func (o *outbox) readBy(t time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ending {
		_ = o.conn.SetReadDeadline(t) // a closed connection will say so
	}
}

// take waits for something to write and returns it; spare is the slice of the last time. At the
// end it returns nothing.
func (o *outbox) take(spare []item) (batch []item, using *token) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.pending) == 0 && !o.ending {
		o.more.Wait()
	}
	batch, o.pending = o.pending, spare
	if o.using != o.newest && time.Now().After(o.using.expires()) {
		o.using = o.newest // the client has to know it by now
	}
	return batch, o.using
}

// written counts down what waits.
func (o *outbox) written(bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting -= bytes
	if o.waiting <= o.enough() {
		o.room.Signal()
	}
}

// deadline sets that of the next write.
func (o *outbox) deadline() {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := time.Now().Add(o.timeout)
	if o.ending && o.by.Before(t) {
		t = o.by
	}
	_ = o.conn.SetWriteDeadline(t) // a closed connection will say so
}

// farewell are the last words, and whether the peer is given time to hear them.
func (o *outbox) farewell() (words *refusal, linger bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.words, o.linger
}
