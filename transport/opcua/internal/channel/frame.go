package channel

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
	"net"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
)

const (
	headerSize = 8                  // type, chunk type, size (OPC 10000-6, 7.1.2.2)
	secureSize = headerSize + 4     // with the channel id (OPC 10000-6, 6.7.2.2)
	chunkStart = secureSize + 4     // with the token id: what comes behind may be encrypted
	bodyStart  = chunkStart + 4 + 4 // with sequence number and request id

	// blockSlack is how much longer than agreed a chunk may be: gopcua's client forgets its padding
	// when it cuts up a long request, and is over by up to a block of AES less one byte.
	blockSlack = 15

	chunkFinal        = 'F'
	chunkIntermediate = 'C'
	chunkAbort        = 'A'
)

// frame is what is read at a time: a message of the connection protocol or a chunk.
type frame struct {
	kind  string // HEL, OPN, MSG, CLO; else empty
	chunk byte
	size  int // with the header
}

// peek looks at the header of the next frame.
func peek(in *bufio.Reader) (frame, error) {
	b, err := in.Peek(headerSize)
	if err != nil {
		return frame{}, err
	}
	size := min(binary.LittleEndian.Uint32(b[4:]), math.MaxInt32)
	return frame{kind: kindOf(b), chunk: b[3], size: int(size)}, nil
}

func kindOf(b []byte) string {
	switch string(b[:3]) {
	case "HEL":
		return "HEL"
	case "OPN":
		return "OPN"
	case "MSG":
		return "MSG"
	case "CLO":
		return "CLO"
	}
	return ""
}

// check judges a header before anything is allocated for it.
func (f frame) check(limit int, kinds ...string) error {
	for _, kind := range kinds {
		switch {
		case f.kind != kind:
			continue
		case f.size < headerSize || f.size > limit:
			return refuse(ua.StatusBadTCPMessageTooLarge, "%s of %d bytes, it may have %d to %d", f.kind, f.size, headerSize, limit)
		case f.chunk == chunkFinal, kind == "MSG" && (f.chunk == chunkIntermediate || f.chunk == chunkAbort):
			return nil
		}
		return refuse(ua.StatusBadTCPMessageTypeInvalid, "%s with chunk type %d", f.kind, f.chunk)
	}
	if f.kind == "" {
		return refuse(ua.StatusBadTCPMessageTypeInvalid, "this is no message of the UA connection protocol")
	}
	return refuse(ua.StatusBadTCPMessageTypeInvalid, "%s must not come now", f.kind)
}

// read reads the frame into b, which has its size.
func (f frame) read(in *bufio.Reader, b []byte) error {
	_, err := io.ReadFull(in, b)
	return err
}

// errorMessage is an ERR (OPC 10000-6, 7.1.2.5).
func errorMessage(status ua.StatusCode, reason string) []byte {
	body, _ := (&uacp.Error{ErrorCode: uint32(status), Reason: reason}).Encode() // cannot fail
	return framed("ERRF", body)
}

// framed puts a header before a body.
func framed(kind string, body []byte) []byte {
	b := make([]byte, 0, headerSize+len(body))
	b = append(b, kind...)
	b = binary.LittleEndian.AppendUint32(b, uint32(headerSize+len(body)))
	return append(b, body...)
}

const (
	lastWordsTime  = time.Second // that an ERR may take, and the peer to take it
	lastWordsBytes = 1 << 20
)

// drain lets the peer read what was written to it before the connection is closed: closing
// with unread bytes resets it, and a reset overtakes an ERR.
func drain(conn net.Conn) {
	half, ok := conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	_ = conn.SetReadDeadline(time.Now().Add(lastWordsTime))
	_, _ = io.CopyN(io.Discard, conn, lastWordsBytes)
}
