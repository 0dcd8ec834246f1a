package guard

import (
	"encoding/binary"

	"github.com/gopcua/opcua/ua"
)

// walker reads one body. It lives on the stack of Request: no method may let it escape.
type walker struct {
	guard  *Guard
	rest   []byte // what is left, of the body or of the ExtensionObject
	depth  int    // how many Variants, DataValues, ExtensionObjects and DiagnosticInfos are open
	budget int    // bytes that decoding may still keep

	// The refusal in the making, once a method has returned false.
	status        ua.StatusCode
	where, reason string
}

// walk reads one value. All methods that return a bool return false once the body is refused.
func (w *walker) walk(p *program) bool {
	switch p.kind {
	case fixed:
		return w.skip(p.min)
	case text:
		return w.string()
	case octets:
		return w.octets()
	case list:
		n, ok := w.count(p.elem.min)
		return ok && w.elements(p.elem, n)
	case structure:
		return w.structure(p)
	case guid:
		return w.keep(sizeGUID) && w.skip(16)
	case nodeID:
		_, ok := w.nodeID(false)
		return ok
	case expandedNodeID:
		_, ok := w.expandedNodeID()
		return ok
	case localizedText:
		return w.localizedText()
	}
	return w.nested(p.kind)
}

// nested reads one of what may hold its like.
func (w *walker) nested(k kind) bool {
	if w.depth++; w.depth > w.guard.limits.MaxDepth {
		return w.excessive("nested deeper than %d", w.guard.limits.MaxDepth)
	}
	var ok bool
	switch k {
	case variant:
		ok = w.variant()
	case dataValue:
		ok = w.dataValue()
	case extensionObject:
		ok = w.extensionObject()
	case diagnosticInfo:
		ok = w.diagnosticInfo()
	}
	w.depth--
	return ok
}

func (w *walker) structure(p *program) bool {
	if !w.keep(p.keeps) {
		return false
	}
	for i := range p.fields {
		if !w.walk(p.fields[i].program) {
			return w.in(p.fields[i].name)
		}
	}
	return true
}

// count reads how many elements of at least min bytes follow; the null array has none.
func (w *walker) count(min int) (int, bool) {
	v, ok := w.uint32()
	if !ok || v == null {
		return 0, ok
	}
	n := int(int32(v))
	return n, w.fits(n, min)
}

// fits judges a number of elements.
func (w *walker) fits(n, min int) bool {
	switch {
	case n < 0:
		return w.malformed("an array of %d elements", n)
	case n > len(w.rest)/min:
		return w.malformed("an array of %d elements of at least %d bytes in %d bytes", n, min, len(w.rest))
	case n > w.guard.limits.MaxArray:
		return w.excessive("an array of %d elements, more than %d", n, w.guard.limits.MaxArray)
	}
	return true
}

func (w *walker) elements(p *program, n int) bool {
	if !w.keep(allocated(n * p.place)) {
		return false
	}
	if p.kind == fixed {
		return w.skip(n * p.min)
	}
	for i := range n {
		if !w.walk(p) {
			return w.at(i)
		}
	}
	return true
}

// string reads a String, which the codec copies.
func (w *walker) string() bool {
	n, ok := w.length()
	return ok && w.keep(allocated(n)) && w.skip(n)
}

// octets reads a ByteString, which the codec does not copy.
func (w *walker) octets() bool {
	n, ok := w.length()
	return ok && w.skip(n)
}

// null is the length of strings and arrays that are null.
const null = 0xffffffff

func (w *walker) length() (int, bool) {
	v, ok := w.uint32()
	if !ok || v == null {
		return 0, ok
	}
	n := int(int32(v))
	switch {
	case n < 0:
		return 0, w.malformed("a string of %d bytes", n)
	case n > len(w.rest):
		return 0, w.malformed("a string of %d bytes in %d bytes", n, len(w.rest))
	case n > w.guard.limits.MaxString:
		return 0, w.excessive("a string of %d bytes, more than %d", n, w.guard.limits.MaxString)
	}
	return n, true
}

func (w *walker) skip(n int) bool {
	if n > len(w.rest) {
		return w.malformed("ends too early: %d bytes of %d", len(w.rest), n)
	}
	w.rest = w.rest[n:]
	return true
}

func (w *walker) uint8() (byte, bool) {
	b := w.rest
	if !w.skip(1) {
		return 0, false
	}
	return b[0], true
}

func (w *walker) uint16() (uint16, bool) {
	b := w.rest
	if !w.skip(2) {
		return 0, false
	}
	return binary.LittleEndian.Uint16(b), true
}

func (w *walker) uint32() (uint32, bool) {
	b := w.rest
	if !w.skip(4) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(b), true
}

func (w *walker) end() bool {
	if len(w.rest) > 0 {
		return w.malformed("%d bytes more than the structure has", len(w.rest))
	}
	return true
}
