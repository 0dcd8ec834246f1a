package service

import (
	"encoding/binary"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
)

// header is a request header, as far as anything looks at it.
type header struct {
	service     uint16 // the type id of the request
	token       []byte // of the session, if it can be one of ours; else nil
	handle      uint32
	diagnostics uint32        // what the client wants to know of failures
	timeout     time.Duration // how long it will wait; 0: it does not say
}

// parseHeader reads type id and header of a body that the guard has let through. structure is
// what follows the type id, rest what follows the header.
func parseHeader(body []byte) (h header, structure, rest []byte) {
	r := reader{rest: body}
	h.service = uint16(r.expandedNodeID().number)
	structure = r.rest
	h.token = r.nodeID().opaque
	r.skip(8) // timestamp: clocks need not agree
	h.handle = r.uint32()
	h.diagnostics = r.uint32()
	r.string() // audit entry
	h.timeout = time.Duration(r.uint32()) * time.Millisecond
	r.expandedNodeID() // additional header
	if mask := r.byte(); mask != 0 {
		r.string()
	}
	return h, structure, r.rest
}

// reader takes a body apart. It relies on the guard: what is not there reads as zero.
type reader struct{ rest []byte }

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest = nil
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// string reads a String or ByteString. It aliases the body; nil if it is null or empty.
func (r *reader) string() []byte {
	n := int32(r.uint32())
	if n <= 0 {
		return nil
	}
	return r.take(int(n))
}

// count reads the length of an array. Each element takes a byte at least: no array is longer than what
// is left.
func (r *reader) count() int { return min(max(0, int(int32(r.uint32()))), len(r.rest)) }

// nodeName is what a node id is needed for here: a number, or opaque bytes.
type nodeName struct {
	number uint32
	opaque []byte
}

// expandedNodeID reads an ExpandedNodeId (OPC 10000-6, 5.2.2.10).
func (r *reader) expandedNodeID() nodeName {
	const hasNamespaceURI, hasServerIndex = 0x80, 0x40
	mask := r.byte()
	name := r.identifier(ua.NodeIDType(mask &^ (hasNamespaceURI | hasServerIndex)))
	if mask&hasNamespaceURI != 0 {
		r.string()
	}
	if mask&hasServerIndex != 0 {
		r.skip(4)
	}
	return name
}

// nodeID reads a NodeId (5.2.2.9).
func (r *reader) nodeID() nodeName { return r.identifier(ua.NodeIDType(r.byte())) }

func (r *reader) identifier(encoding ua.NodeIDType) nodeName {
	switch encoding {
	case ua.NodeIDTypeTwoByte:
		return nodeName{number: uint32(r.byte())}
	case ua.NodeIDTypeFourByte:
		r.skip(1)
		return nodeName{number: uint32(r.uint16())}
	case ua.NodeIDTypeNumeric:
		r.skip(2)
		return nodeName{number: r.uint32()}
	case ua.NodeIDTypeGUID:
		r.skip(2 + 16)
	case ua.NodeIDTypeByteString:
		r.skip(2)
		return nodeName{opaque: r.string()}
	case ua.NodeIDTypeString:
		r.skip(2)
		r.string()
	}
	return nodeName{}
}

// node reads a NodeId, and finds the node that has it; nil: there is none.
func (r *reader) node(s *space.Space) (*space.Node, error) {
	n, size, err := s.FindEncoded(r.rest)
	r.skip(size)
	return n, err
}

// decode reads one structure with the codec.
func (r *reader) decode(v ua.BinaryDecoder) error {
	n, err := v.Decode(r.rest)
	r.skip(n)
	return err
}
