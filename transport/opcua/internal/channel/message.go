package channel

import (
	"encoding/binary"

	"github.com/gopcua/opcua/ua"
)

// assembly is a message of which not all chunks have come. The chunks of a message follow each
// other without those of another between them (OPC 10000-6, 6.7.3), so there is one at most.
type assembly struct {
	request uint32
	chunks  int // 0: there is none
	body    []byte
}

// message reads a MSG or CLO chunk and hands a message that is complete to the handler.
func (c *Channel) message(f frame) error {
	// A chunk that is a whole message becomes the body; the others are copied together.
	whole := f.kind == "MSG" && f.chunk == chunkFinal && c.partial.chunks == 0
	var b []byte
	if whole {
		b = make([]byte, f.size)
	} else {
		if cap(c.scratch) < f.size {
			c.scratch = make([]byte, f.size)
		}
		b = c.scratch[:f.size]
	}
	if err := f.read(c.in, b); err != nil {
		return err
	}
	b, err := c.verify(b)
	if err != nil {
		return err
	}
	if f.kind == "CLO" {
		return errGone
	}
	request, part := binary.LittleEndian.Uint32(b[bodyStart-4:]), b[bodyStart:]
	if whole {
		if most := c.maxMessage(); len(part) > most {
			return refuse(ua.StatusBadRequestTooLarge, "a request of more than %d bytes", most)
		}
		return c.handle(request, part)
	}
	return c.assemble(f.chunk, request, part)
}

// verify checks the security of a chunk and its sequence number. It returns at least bodyStart bytes.
func (c *Channel) verify(b []byte) ([]byte, error) {
	if len(b) < bodyStart {
		return nil, refuse(ua.StatusBadDecodingError, "a chunk of %d bytes", len(b))
	}
	if got := binary.LittleEndian.Uint32(b[headerSize:]); got != c.id {
		return nil, refuse(ua.StatusBadTCPSecureChannelUnknown, "there is no channel %d on this connection", got)
	}
	t, err := c.tokens.find(binary.LittleEndian.Uint32(b[secureSize:]))
	if err != nil {
		return nil, err
	}
	if b, err = t.in.unprotect(b); err != nil {
		return nil, err
	}
	if err := c.count(binary.LittleEndian.Uint32(b[chunkStart:])); err != nil {
		return nil, err
	}
	if c.tokens.use(t) {
		c.out.changeOver(t)
	}
	return b, nil
}

// count checks the sequence number of a chunk, which has been verified: each is one more than the
// one before, whatever token and message it belongs to. The first may be any.
func (c *Channel) count(n uint32) error {
	last := c.sequence
	wrapped := last > lastSequence && n < 1024
	if c.counting && n != last+1 && !wrapped {
		return refuse(ua.StatusBadSequenceNumberInvalid, "%d came after %d", n, last)
	}
	c.counting, c.sequence = true, n
	return nil
}

// assemble adds a chunk to the message it is part of.
func (c *Channel) assemble(kind byte, request uint32, part []byte) error {
	p := &c.partial
	if p.chunks > 0 && p.request != request {
		return refuse(ua.StatusBadTCPMessageTypeInvalid, "a chunk of request %d among those of request %d", request, p.request)
	}
	if kind == chunkAbort {
		c.forget()
		return nil
	}
	p.request = request
	p.chunks++
	if most := c.maxMessage(); p.chunks > c.server.MaxChunks || len(p.body)+len(part) > most {
		return refuse(ua.StatusBadRequestTooLarge, "a request of more than %d bytes or %d chunks", most, c.server.MaxChunks)
	}
	p.body = append(p.body, part...)
	if kind == chunkIntermediate {
		return nil
	}
	body := p.body
	c.forget()
	return c.handle(request, body)
}

// maxMessage is how large a request may be now, in bytes.
func (c *Channel) maxMessage() int {
	if c.proven || c.Policy() != ua.SecurityPolicyURINone {
		return c.server.MaxMessage
	}
	return min(c.server.MaxMessage, c.server.MaxUnproven)
}

// Prove lets a client that has logged in send requests of any size that is allowed; until then
// those of one without a certificate may have MaxUnproven bytes. It is called on the reader.
func (c *Channel) Prove() { c.proven, c.failedLogins = true, 0 }

// forget makes room for the next message. Long ones are rare: nothing is kept for them.
func (c *Channel) forget() { c.partial, c.scratch = assembly{}, nil }

// handle hands a message over, and waits when the client does not read what it asks for.
func (c *Channel) handle(request uint32, body []byte) error {
	if err := c.server.Handler.Handle(c, request, body); err != nil {
		return refusalOf(err)
	}
	if !c.out.await() {
		return errGone
	}
	return nil
}
