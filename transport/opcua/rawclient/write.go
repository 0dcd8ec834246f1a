package rawclient

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uasc"
)

const (
	headSize     = 8 // message type, chunk type, size
	sequenceSize = 8 // sequence number, request id
	// symmetricSize is head, channel id and token id.
	symmetricSize = headSize + 8
)

func appendHead(dst []byte, kind string, chunk byte) []byte {
	return append(append(dst, kind...), chunk, 0, 0, 0, 0)
}

func putSize(chunk []byte, size int) { binary.LittleEndian.PutUint32(chunk[4:], uint32(size)) }

func (c *Client) nextID() uint32 { return c.lastID.Add(1) }

// maxOut is how many bytes may wait to be written.
const maxOut = 1 << 20

// send leaves a message to the writer.
func (c *Client) send(kind string, id uint32, body []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.ready(); err != nil {
		return err
	}
	return c.appendMessage(kind, id, body)
}

// ready waits, with wmu, while too much is there to be written, but not while a response is
// delivered: the reader must never wait for the writer, or both sides could wait for each other
// to read. After nil something will be appended: the writer is told.
func (c *Client) ready() error {
	for len(c.out) > maxOut && !c.delivering.Load() && !c.stopped {
		if c.o.NoWait {
			return ErrFull
		}
		c.less.Wait()
	}
	if c.stopped {
		if err := c.Err(); err != nil {
			return err
		}
		return ErrClosed
	}
	c.more.Signal() // it needs wmu to see what there is
	return nil
}

// write is the writer: it writes what has gathered, until the client stops.
func (c *Client) write() {
	defer close(c.written)
	c.wmu.Lock()
	defer c.wmu.Unlock()
	var spare []byte
	for {
		for len(c.out) == 0 && !c.stopped {
			c.more.Wait()
		}
		if len(c.out) == 0 {
			return
		}
		b := c.out
		c.out = spare
		c.wmu.Unlock()
		_ = c.conn.SetWriteDeadline(time.Now().Add(c.o.WriteTimeout))
		if _, err := c.conn.Write(b); err != nil {
			c.fail(fmt.Errorf("rawclient: writing: %w", err))
		}
		c.wmu.Lock()
		if spare = b[:0]; cap(spare) > 2*maxOut {
			spare = nil
		}
		c.less.Broadcast()
	}
}

// stop ends the writer when it has written what there is, or, if now is set, at once.
func (c *Client) stop(now bool) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.stopped = true
	if now {
		c.out = nil
	}
	c.more.Broadcast()
	c.less.Broadcast()
}

// appendMessage needs wmu.
func (c *Client) appendMessage(kind string, id uint32, body []byte) error {
	if c.sending == nil {
		return fmt.Errorf("rawclient: there is no secure channel")
	}
	room := c.sending.room(c.sendSize, symmetricSize)
	for len(body) > room {
		if err := c.appendChunk(kind, 'C', id, body[:room]); err != nil {
			return err
		}
		body = body[room:]
	}
	return c.appendChunk(kind, 'F', id, body)
}

// appendChunk needs wmu.
func (c *Client) appendChunk(kind string, chunk byte, id uint32, body []byte) error {
	start := len(c.out)
	b := appendHead(c.out, kind, chunk)
	b = binary.LittleEndian.AppendUint32(b, c.sending.channel)
	b = binary.LittleEndian.AppendUint32(b, c.sending.id)
	secret := len(b)
	b = c.appendSequence(b, id)
	b = append(b, body...)
	b, err := c.sending.seal(b, start, secret)
	if err == nil {
		c.out = b
	}
	return err
}

// appendSequence needs wmu. Numbers go around before they reach the end (OPC 10000-6, 6.7.2.4).
func (c *Client) appendSequence(b []byte, id uint32) []byte {
	if c.sequence++; c.sequence > math.MaxUint32-1024 {
		c.sequence = 1
	}
	b = binary.LittleEndian.AppendUint32(b, c.sequence)
	return binary.LittleEndian.AppendUint32(b, id)
}

// appendOpening appends an OPN message, which is always one chunk. It needs wmu.
func (c *Client) appendOpening(id uint32, body []byte) error {
	h := uasc.AsymmetricSecurityHeader{
		SecurityPolicyURI:             c.o.Policy,
		SenderCertificate:             c.o.Certificate,
		ReceiverCertificateThumbprint: c.thumbprint(),
	}
	if c.o.Mode == ua.MessageSecurityModeNone {
		h.SenderCertificate = nil
	}
	header, err := h.Encode()
	if err != nil {
		return err
	}
	channel := uint32(0)
	if c.sending != nil {
		channel = c.sending.channel
	}
	start := len(c.out)
	b := appendHead(c.out, "OPN", 'F')
	b = binary.LittleEndian.AppendUint32(b, channel)
	b = append(b, header...)
	secret := len(b)
	b = c.appendSequence(b, id)
	b = append(b, body...)
	b, err = c.opening.seal(b, start, secret)
	if err == nil {
		c.out = b
	}
	return err
}

// WriteRaw writes bytes as they are, after what was sent before.
func (c *Client) WriteRaw(b []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.ready(); err != nil {
		return err
	}
	c.out = append(c.out, b...)
	return nil
}

// SendChunk writes one chunk, numbered and protected as it should be, but of any kind ("MSG",
// "CLO", …) and chunk type ('F', 'C', 'A', …), whatever came before.
func (c *Client) SendChunk(kind string, chunk byte, id uint32, body []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.ready(); err != nil {
		return err
	}
	if c.sending == nil || len(kind) != 3 {
		return fmt.Errorf("rawclient: no secure channel, or message type %q", kind)
	}
	return c.appendChunk(kind, chunk, id, body)
}

// SkipSequence leaves out sequence numbers before the next chunk.
func (c *Client) SkipSequence(n uint32) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.sequence += n
}
