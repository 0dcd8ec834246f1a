package space

import (
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
