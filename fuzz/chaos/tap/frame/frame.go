// Package frame reads whole MQTT packets from a stream, without looking into them.
package frame

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// PartialError is a packet whose rest never came.
type PartialError struct {
	Got    []byte
	Length int // of the whole packet; 0 if not even that is known
	Err    error
}

// ErrTooLarge says that a packet has more bytes than are allowed.
var ErrTooLarge = errors.New("the packet is too large")

func (e *PartialError) Error() string {
	return fmt.Sprintf("the stream ended in the middle of a packet: %v", e.Err)
}

func (e *PartialError) Unwrap() error { return e.Err }

// Read reads one packet (MQTT 5 section 2.1): a byte, the remaining length in up to four, and
// so many bytes, limit in all. The error is io.EOF between packets and a [*PartialError] in the
// middle of one. The slice is the caller's.
func Read(r *bufio.Reader, limit int) (raw []byte, err error) {
	var head [5]byte
	if head[0], err = r.ReadByte(); err != nil {
		return nil, err
	}
	n, length := 1, 0
	for shift := 0; ; shift += 7 {
		if n == len(head) {
			return nil, errors.New("the remaining length has more than four bytes")
		}
		if head[n], err = r.ReadByte(); err != nil {
			return nil, &PartialError{Got: head[:n], Err: err}
		}
		n++
		length |= int(head[n-1]&0x7f) << shift
		if head[n-1] < 0x80 {
			break
		}
	}
	if n+length > limit {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrTooLarge, n+length, limit)
	}
	raw = make([]byte, n+length)
	copy(raw, head[:n])
	if got, err := io.ReadFull(r, raw[n:]); err != nil {
		return nil, &PartialError{Got: raw[:n+got], Length: len(raw), Err: err}
	}
	return raw, nil
}
