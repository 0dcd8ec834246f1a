package guard

import (
	"fmt"

	"github.com/gopcua/opcua/ua"
)

// identifier is what the guard needs to know of a node id.
type identifier struct {
	standard bool   // a number in namespace 0, and no namespace URI or server index
	number   uint32 // if standard
}

func (i identifier) String() string {
	if i.standard {
		return fmt.Sprintf("i=%d", i.number)
	}
	return "not a number in namespace 0"
}

// The flags of an ExpandedNodeId, OPC 10000-6, 5.2.2.10.
const (
	hasNamespaceURI = 0x80
	hasServerIndex  = 0x40
)

// nodeID reads a NodeId, OPC 10000-6, 5.2.2.9.
func (w *walker) nodeID(expanded bool) (identifier, bool) {
	none := identifier{}
	if !w.keep(sizeNodeID) {
		return none, false
	}
	mask, ok := w.uint8()
	if !ok {
		return none, false
	}
	encoding := mask
	if expanded {
		encoding &^= hasNamespaceURI | hasServerIndex
	}
	var namespace uint16
	var number uint32
	switch ua.NodeIDType(encoding) {
	case ua.NodeIDTypeTwoByte:
		var n uint8
		n, ok = w.uint8()
		number = uint32(n)
	case ua.NodeIDTypeFourByte:
		var n uint8
		var s uint16
		n, _ = w.uint8()
		s, ok = w.uint16()
		namespace, number = uint16(n), uint32(s)
	case ua.NodeIDTypeNumeric:
		namespace, _ = w.uint16()
		number, ok = w.uint32()
	case ua.NodeIDTypeGUID:
		return none, w.skip(2) && w.keep(sizeGUID) && w.skip(16)
	case ua.NodeIDTypeString, ua.NodeIDTypeByteString:
		return none, w.skip(2) && w.octets()
	default:
		return none, w.malformed("a NodeId with the encoding 0x%02x", mask)
	}
	return identifier{standard: ok && namespace == 0 && mask == encoding, number: number}, ok
}

// expandedNodeID reads an ExpandedNodeId, OPC 10000-6, 5.2.2.10.
func (w *walker) expandedNodeID() (identifier, bool) {
	if !w.keep(sizeExpandedNodeID) {
		return identifier{}, false
	}
	mask := byte(0)
	if len(w.rest) > 0 {
		mask = w.rest[0]
	}
	id, ok := w.nodeID(true)
	if ok && mask&hasNamespaceURI != 0 {
		ok = w.string()
	}
	if ok && mask&hasServerIndex != 0 {
		ok = w.skip(4)
	}
	return id, ok
}
