package space

import (
	"encoding/binary"

	"github.com/gopcua/opcua/ua"
)

// key is a node id that can be compared: the encodings TwoByte, FourByte and Numeric of one id
// are the same key. It does not alias the id.
type key struct {
	namespace uint16
	kind      ua.NodeIDType
	number    uint32
	text      string
}

// keyOf gives the key of an id; of nil that of the null id.
func keyOf(id *ua.NodeID) key {
	if id == nil {
		return key{kind: ua.NodeIDTypeNumeric}
	}
	k := key{namespace: id.Namespace(), kind: id.Type()}
	switch k.kind {
	case ua.NodeIDTypeTwoByte, ua.NodeIDTypeFourByte, ua.NodeIDTypeNumeric:
		k.kind = ua.NodeIDTypeNumeric
		k.number = id.IntID()
	default:
		k.text = id.StringID()
	}
	return k
}

// null says whether it is the key of a null id (OPC 10000-3, 8.2.4).
func (k key) null() bool {
	return k.namespace == 0 && k.number == 0 && k.text == ""
}

// FindEncoded returns the node whose id is the encoded NodeId at the start of b (OPC 10000-6,
// 5.2.2.9), nil if there is none, and how many bytes the id has. For numbers and Strings nothing is
// allocated.
func (s *Space) FindEncoded(b []byte) (n *Node, size int, err error) {
	le := binary.LittleEndian
	const kindMask = 0xf
	switch k := (key{kind: ua.NodeIDTypeNumeric}); {
	case len(b) >= 2 && ua.NodeIDType(b[0]&kindMask) == ua.NodeIDTypeTwoByte:
		k.number = uint32(b[1])
		return s.nodes[k], 2, nil
	case len(b) >= 4 && ua.NodeIDType(b[0]&kindMask) == ua.NodeIDTypeFourByte:
		k.namespace, k.number = uint16(b[1]), uint32(le.Uint16(b[2:]))
		return s.nodes[k], 4, nil
	case len(b) >= 7 && ua.NodeIDType(b[0]&kindMask) == ua.NodeIDTypeNumeric:
		k.namespace, k.number = le.Uint16(b[1:]), le.Uint32(b[3:])
		return s.nodes[k], 7, nil
	case len(b) >= 7 && ua.NodeIDType(b[0]&kindMask) == ua.NodeIDTypeString:
		if length := int(int32(le.Uint32(b[3:]))); length >= 0 && length <= len(b)-7 {
			// Written like this, the text is not copied.
			return s.nodes[key{namespace: le.Uint16(b[1:]), kind: ua.NodeIDTypeString, text: string(b[7 : 7+length])}], 7 + length, nil
		}
	}
	return s.findDecoded(b)
}

// findDecoded is FindEncoded for any id, also one that is none.
func (s *Space) findDecoded(b []byte) (*Node, int, error) {
	var id ua.NodeID
	size, err := id.Decode(b)
	if err != nil {
		return nil, size, err
	}
	return s.Find(&id), size, nil
}
