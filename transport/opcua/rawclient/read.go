package rawclient

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uasc"
)

// Response is what came back for a request.
type Response struct {
	ID uint32 // the request id
	// Body is the message, valid only during Deliver.
	Body []byte
	// Err says why there is no body: a ua.StatusCode if the server gave the message up.
	Err error
}

// Decode decodes the body. A ServiceFault is an error, which wraps its ua.StatusCode. ByteStrings
// in the result alias the body.
func (r Response) Decode() (ua.Response, error) {
	if r.Err != nil {
		return nil, r.Err
	}
	_, v, err := ua.DecodeService(r.Body)
	if err != nil {
		return nil, fmt.Errorf("rawclient: decoding a response: %w", err)
	}
	response, ok := v.(ua.Response)
	if !ok {
		return nil, fmt.Errorf("rawclient: %T is no response", v)
	}
	if status := response.Header().ServiceResult; status != ua.StatusOK {
		return response, fmt.Errorf("rawclient: %T: %w", response, status)
	}
	return response, nil
}

// Result reads, without decoding, what a response is and how its request as a whole ended: the
// number of its type id, the request handle and the status. ok is false if there is no body, or
// one that does not begin like a response. Nothing is allocated.
func (r Response) Result() (number uint16, handle uint32, status ua.StatusCode, ok bool) {
	const timestamp = 8 // before the handle
	// Type ids of responses are four-byte node ids in namespace 0.
	b := r.Body
	if len(b) < 4+timestamp+8 || b[0] != 1 || b[1] != 0 {
		return 0, 0, 0, false
	}
	le := binary.LittleEndian
	b, number = b[4+timestamp:], le.Uint16(b[2:])
	return number, le.Uint32(b), ua.StatusCode(le.Uint32(b[4:])), true
}

// read is the reader.
func (c *Client) read() {
	defer close(c.ended)
	r := reader{c: c}
	var err error
	for err == nil {
		err = r.next()
	}
	c.fail(err)
	<-c.written
	c.mu.Lock()
	waiting := c.waiting
	c.waiting, err = nil, c.err
	c.mu.Unlock()
	for id, w := range waiting {
		w <- Response{ID: id, Err: err}
	}
}

// reader is what only the reader needs to know.
type reader struct {
	c        *Client
	sequence uint32 // of the last chunk
	started  bool   // there was one
	part     []byte // of a message whose last chunk has not come
	partOf   uint32 // its request id
	open     bool   // there is such a message
}

// next takes one chunk.
func (r *reader) next() error {
	frame, err := r.c.frame()
	if err != nil {
		return err
	}
	switch kind := string(frame[:3]); kind {
	case "MSG":
		return r.message(frame)
	case "OPN":
		return r.opened(frame)
	case "ERR":
		return refusalOf(frame)
	default:
		return fmt.Errorf("rawclient: a message of type %q", kind)
	}
}

// refusalOf is what an ERR message says.
func refusalOf(frame []byte) error {
	e := new(uacp.Error)
	if _, err := e.Decode(frame[headSize:]); err != nil {
		return fmt.Errorf("rawclient: ERR: %w", err)
	}
	return fmt.Errorf("rawclient: %w: %s", ua.StatusCode(e.ErrorCode), e.Reason)
}

// frame reads one chunk, which is valid until the next.
func (c *Client) frame() ([]byte, error) {
	head, err := c.peek(headSize)
	if err != nil {
		return nil, err
	}
	size := int(binary.LittleEndian.Uint32(head[4:]))
	if size < headSize+4 || size > c.o.ReceiveBuffer {
		return nil, fmt.Errorf("rawclient: a chunk %q of %d bytes", head[:4], size)
	}
	frame, err := c.peek(size)
	if err != nil {
		return nil, err
	}
	_, err = c.in.Discard(size)
	return frame, err
}

func (c *Client) peek(n int) ([]byte, error) {
	b, err := c.in.Peek(n)
	if err != nil {
		if err == io.EOF && len(b) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("rawclient: reading: %w", err)
	}
	return b, nil
}

// message takes a chunk of a response.
func (r *reader) message(frame []byte) error {
	if len(frame) < symmetricSize {
		return errChunk
	}
	t, err := r.c.tokenOf(binary.LittleEndian.Uint32(frame[8:]), binary.LittleEndian.Uint32(frame[12:]))
	if err != nil {
		return err
	}
	plain, err := t.unseal(frame, symmetricSize)
	if err != nil {
		return err
	}
	id, body, err := r.sequenced(plain)
	if err != nil {
		return err
	}
	if r.open && id != r.partOf {
		return fmt.Errorf("rawclient: a chunk of response %d inside of response %d", id, r.partOf)
	}
	switch frame[3] {
	case 'C':
		r.part, r.partOf, r.open = append(r.part, body...), id, true
		if len(r.part) > r.c.o.MaxMessage {
			return fmt.Errorf("rawclient: a response of more than %d bytes", r.c.o.MaxMessage)
		}
		return nil
	case 'A':
		e := new(uasc.MessageAbort)
		if _, err := e.Decode(body); err != nil {
			return fmt.Errorf("rawclient: an abort: %w", err)
		}
		r.part, r.open = r.part[:0], false
		r.c.deliver(Response{ID: id, Err: fmt.Errorf("rawclient: the server gave up a response: %s: %w", e.Reason, ua.StatusCode(e.ErrorCode))})
		return nil
	case 'F':
		if r.open {
			body = append(r.part, body...)
			r.part, r.open = body[:0], false
		}
		r.c.deliver(Response{ID: id, Body: body})
		return nil
	}
	return fmt.Errorf("rawclient: a chunk of type %q", frame[3])
}

// sequenced checks the sequence number and returns the request id and what follows.
func (r *reader) sequenced(plain []byte) (id uint32, body []byte, err error) {
	if len(plain) < sequenceSize {
		return 0, nil, errChunk
	}
	n := binary.LittleEndian.Uint32(plain)
	around := r.sequence >= math.MaxUint32-1024 && n < 1024
	if r.started && n != r.sequence+1 && !around {
		return 0, nil, fmt.Errorf("rawclient: sequence number %d after %d", n, r.sequence)
	}
	r.sequence, r.started = n, true
	return binary.LittleEndian.Uint32(plain[4:]), plain[sequenceSize:], nil
}

// deliver hands a response to who waits for it, or else to Options.Deliver.
func (c *Client) deliver(r Response) {
	c.mu.Lock()
	w := c.waiting[r.ID]
	delete(c.waiting, r.ID)
	c.mu.Unlock()
	switch {
	case w != nil:
		r.Body = append([]byte(nil), r.Body...)
		w <- r
	case c.o.Deliver != nil:
		c.delivering.Store(true)
		c.o.Deliver(r)
		c.delivering.Store(false)
	}
}

// wait makes a response with that id come to the channel, which is the client's end too.
func (c *Client) wait(id uint32) (chan Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting == nil {
		return nil, c.err
	}
	w := make(chan Response, 1)
	c.waiting[id] = w
	return w, nil
}

// forget ends it. The response, if it still comes, is delivered.
func (c *Client) forget(id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

// tokenOf finds the token that a chunk was protected with.
func (c *Client) tokenOf(channel, id uint32) (*token, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.receiving {
		if t != nil && t.id == id && t.channel == channel {
			return t, nil
		}
	}
	return nil, fmt.Errorf("rawclient: a chunk with channel %d and token %d", channel, id)
}
