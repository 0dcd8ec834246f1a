package guard

import (
	"slices"

	"github.com/gopcua/opcua/ua"
)

// extensionObject reads an ExtensionObject, OPC 10000-6, 5.2.2.15.
func (w *walker) extensionObject() bool {
	if !w.keep(sizeExtensionObject) {
		return false
	}
	start := w.rest
	id, ok := w.expandedNodeID()
	if !ok {
		return w.in("TypeId")
	}
	typeID := start[:len(start)-len(w.rest)]
	encoding, ok := w.uint8()
	if !ok || encoding == ua.ExtensionObjectEmpty {
		return ok
	}
	if encoding > ua.ExtensionObjectXML {
		return w.malformed("an ExtensionObject with the encoding %d", encoding)
	}
	n, ok := w.length()
	if !ok || n == 0 {
		return ok
	}
	if encoding == ua.ExtensionObjectXML {
		return w.malformed("an ExtensionObject with an XML body: only binary ones are read")
	}
	if body := w.guard.structures[id.number]; body != nil && id.standard {
		return w.inside(n, body)
	}
	if known(typeID) {
		return w.malformed("an ExtensionObject with a structure that is not read here (%s)", id)
	}
	return w.skip(n)
}

// inside reads a structure that has to fill the next n bytes.
func (w *walker) inside(n int, p *program) bool {
	after := w.rest[n:]
	w.rest = w.rest[:n]
	if !w.walk(p) || !w.end() {
		return w.in(p.name)
	}
	w.rest = after
	return true
}

// known says whether the codec would read a body with this type id, or skip it. It asks the
// codec, because that looks at parts of the id only: a number with a namespace URI means the
// same to it as one without. A body of one byte tells, and no structure can make much of it.
func known(typeID []byte) bool {
	var object ua.ExtensionObject
	_, _ = object.Decode(slices.Concat(typeID, []byte{ua.ExtensionObjectBinary, 1, 0, 0, 0, 0}))
	return object.Value != nil
}
