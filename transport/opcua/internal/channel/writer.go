package channel

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uasc"
)

const (
	// flushSize is how much is gathered before a write. A write has a deadline, so it is also what
	// a client must be able to take in that time.
	flushSize = 64 << 10
	// Above lastSequence the numbers may begin anew (OPC 10000-6, 6.7.2.4).
	lastSequence = math.MaxUint32 - 1024
)

// writer numbers, cuts up, protects and writes what is in the outbox.
type writer struct {
	c        *Channel
	buf      []byte // what is to be written
	weight   int    // of the items in buf
	sequence uint32 // the last
}

// write is the goroutine that writes.
func (c *Channel) write() {
	defer close(c.wrote)
	defer func() {
		if r := recover(); r != nil {
			c.server.log.panicked(c, "writer", r)
			c.out.end(nil, false)
			_ = c.conn.Close()
		}
	}()
	w := writer{c: c}
	if err := w.run(); err != nil {
		c.out.end(nil, false)
		_ = c.conn.Close() // also if it was ending with last words: they cannot be said
	}
}

// run writes until the connection ends, and the last words then.
func (w *writer) run() error {
	var batch []item
	for {
		var using *token
		clear(batch)
		if batch, using = w.c.out.take(batch[:0]); len(batch) == 0 {
			break
		}
		for i := range batch {
			if err := w.put(&batch[i], using); err != nil {
				return err
			}
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	words, linger := w.c.out.farewell()
	if words != nil {
		w.buf = append(w.buf, errorMessage(words.status, words.reason)...)
		if err := w.flush(); err != nil {
			return err
		}
	}
	if linger {
		_ = w.c.conn.SetReadDeadline(time.Now()) // frees the reader, which then drains
	}
	return nil
}

// put appends an item to the buffer, and writes what is too much for it.
func (w *writer) put(i *item, using *token) (err error) {
	w.weight += i.weight()
	switch i.kind {
	case itemRaw:
		w.buf = append(w.buf, i.body...)
	case itemOpen:
		w.buf, err = i.envelope.wrap(w.buf, w.c.id, w.next(), i.request, i.body)
	default:
		err = w.message(i, using)
	}
	if err == nil && len(w.buf) >= flushSize {
		err = w.flush()
	}
	return err
}

// message cuts a MSG into chunks.
func (w *writer) message(i *item, using *token) error {
	agreed := w.c.agreed
	room := using.out.room(agreed.send)
	chunks := max(1, (len(i.body)+room-1)/room)
	if agreed.message > 0 && len(i.body) > agreed.message || agreed.chunks > 0 && chunks > agreed.chunks {
		return w.abort(i, using)
	}
	for body := i.body; ; body = body[room:] {
		if len(body) <= room {
			w.chunk(chunkFinal, i.request, using, body)
			return nil
		}
		w.chunk(chunkIntermediate, i.request, using, body[:room])
		if len(w.buf) >= flushSize {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
}

// abort stands for a message that is more than the client said it can take.
func (w *writer) abort(i *item, using *token) error {
	body, err := (&uasc.MessageAbort{
		ErrorCode: uint32(ua.StatusBadResponseTooLarge),
		Reason:    "the response is larger than what HEL allows",
	}).Encode()
	if err == nil {
		w.chunk(chunkAbort, i.request, using, body)
	}
	return err
}

// chunk appends one chunk of a MSG.
func (w *writer) chunk(kind byte, request uint32, using *token, part []byte) {
	start := len(w.buf)
	b := append(w.buf, 'M', 'S', 'G', kind, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, w.c.id)
	b = binary.LittleEndian.AppendUint32(b, using.id)
	b = binary.LittleEndian.AppendUint32(b, w.next())
	b = binary.LittleEndian.AppendUint32(b, request)
	w.buf = using.out.protect(append(b, part...), start)
}

func (w *writer) next() uint32 {
	if w.sequence >= lastSequence {
		w.sequence = 0
	}
	w.sequence++
	return w.sequence
}

func (w *writer) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	w.c.out.deadline()
	_, err := w.c.conn.Write(w.buf)
	w.buf = w.buf[:0]
	w.c.out.written(w.weight)
	w.weight = 0
	return err
}
