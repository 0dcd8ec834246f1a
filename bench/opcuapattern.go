package bench

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// markSize is how many bytes a mark has.
const markSize = 16

// appendMark appends the mark of a request: 16 digits that no other request of a loop has, spread
// so that neighbours are not alike.
func appendMark(dst []byte, seed uint64, id uint32) []byte {
	const odd = 0x9e3779b97f4a7c15 // multiplying by it is a permutation
	v := (uint64(id) ^ seed) * odd
	v ^= v >> 32
	const digits = "0123456789abcdef"
	for range markSize {
		dst = append(dst, digits[v>>60])
		v <<= 4
	}
	return dst
}

// pattern is what answers look like: bytes, of which some are the answer's own.
type pattern struct {
	body []byte // of the first answer
	mark int    // where the mark is; -1: there is none
}

// Where every response has its time and its request handle (OPC 10000-4, 7.33).
const (
	timeAt   = 4 // behind the type id
	handleAt = timeAt + 8
	ownEnd   = handleAt + 4
)

// learn takes the first answer apart, with the codec, and makes it the pattern of all others.
func learn(r rawclient.Response, request Request, text, mark []byte) (*pattern, error) {
	decoded, err := r.Decode()
	if err != nil {
		return nil, fmt.Errorf("bench: the first answer: %w", err)
	}
	p := &pattern{body: bytes.Clone(r.Body), mark: -1}
	if request == Write {
		w, ok := decoded.(*ua.WriteResponse)
		if !ok || len(w.Results) != 1 || w.Results[0] != ua.StatusOK {
			return nil, fmt.Errorf("bench: the first answer is not that of a Write that was Good: %T", decoded)
		}
		return p, nil
	}
	c, ok := decoded.(*ua.CallResponse)
	if !ok || len(c.Results) != 1 || c.Results[0].StatusCode != ua.StatusOK || len(c.Results[0].OutputArguments) != 1 {
		return nil, fmt.Errorf("bench: the first answer is not that of a Call that was Good: %T", decoded)
	}
	if got := c.Results[0].OutputArguments[0].Value(); got != string(text) {
		return nil, fmt.Errorf("bench: the first answer is %q, want %q", got, text)
	}
	p.mark = bytes.Index(p.body, mark)
	if p.mark < ownEnd || bytes.Count(p.body, mark) != 1 {
		return nil, errors.New("bench: the first answer has not got its text once")
	}
	return p, nil
}

// matches says whether an answer is what the request with that id and mark must get.
func (p *pattern) matches(body []byte, id uint32, mark []byte) bool {
	if len(body) != len(p.body) || !bytes.Equal(body[:timeAt], p.body[:timeAt]) ||
		binary.LittleEndian.Uint32(body[handleAt:]) != id {
		return false
	}
	if p.mark < 0 {
		return bytes.Equal(body[ownEnd:], p.body[ownEnd:])
	}
	end := p.mark + markSize
	return bytes.Equal(body[ownEnd:p.mark], p.body[ownEnd:p.mark]) &&
		bytes.Equal(body[p.mark:end], mark) && bytes.Equal(body[end:], p.body[end:])
}
