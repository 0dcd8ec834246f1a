package tap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// partialError is a packet whose rest never came.
type partialError struct {
	got    []byte
	length int // of the whole packet; 0 if not even that is known
	err    error
}

func (e *partialError) Error() string {
	return fmt.Sprintf("the stream ended in the middle of a packet: %v", e.err)
}

func (e *partialError) Unwrap() error { return e.err }

// readFrame reads one packet (MQTT 5 section 2.1): a byte, the remaining length in up to four, and
// so many bytes. io.EOF between packets; a *partialError in the middle of one.
func readFrame(r *bufio.Reader, limit int) (raw []byte, err error) {
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
			return nil, &partialError{got: head[:n], err: err}
		}
		n++
		length |= int(head[n-1]&0x7f) << shift
		if head[n-1] < 0x80 {
			break
		}
	}
	if n+length > limit {
		return nil, fmt.Errorf("a packet has %d bytes, more than %d", n+length, limit)
	}
	raw = make([]byte, n+length)
	copy(raw, head[:n])
	if got, err := io.ReadFull(r, raw[n:]); err != nil {
		return nil, &partialError{got: raw[:n+got], length: len(raw), err: err}
	}
	return raw, nil
}
