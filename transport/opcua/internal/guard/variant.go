package guard

import "github.com/gopcua/opcua/ua"

// variant reads a Variant, OPC 10000-6, 5.2.2.16.
func (w *walker) variant() bool {
	if !w.keep(sizeVariant) {
		return false
	}
	mask, ok := w.uint8()
	if !ok {
		return false
	}
	if mask == 0 { // the null value
		return true
	}
	id := ua.TypeID(mask &^ (ua.VariantArrayValues | ua.VariantArrayDimensions))
	if id == ua.TypeIDNull || id > lastBuiltin {
		return w.malformed("a Variant with the encoding 0x%02x", mask)
	}
	p := w.guard.builtins[id]
	switch mask &^ byte(id) {
	case 0:
		return w.keep(p.box) && w.walk(p)
	case ua.VariantArrayValues:
		_, ok = w.array(p)
		return ok
	case ua.VariantArrayValues | ua.VariantArrayDimensions:
		n, ok := w.array(p)
		return ok && w.dimensions(n)
	}
	return w.malformed("a Variant with dimensions of no array (0x%02x)", mask)
}

// array reads the elements of a Variant. The number is -1 for the null array.
func (w *walker) array(p *program) (int, bool) {
	v, ok := w.uint32()
	if !ok {
		return 0, false
	}
	n := int(int32(v))
	if v == null {
		return n, w.keep(sizeSlice)
	}
	if !w.fits(n, p.min) {
		return 0, false
	}
	if n > ua.MaxVariantArrayLength {
		return 0, w.excessive("an array of %d elements, more than %d", n, ua.MaxVariantArrayLength)
	}
	return n, w.keep(sizeSlice) && w.elements(p, n)
}

// dimensions reads how an array of n elements is divided. The codec takes no dimension of 0,
// multiplies without regard to overflow, divides by what it gets, and makes a type for each
// dimension, which the process keeps.
func (w *walker) dimensions(n int) bool {
	v, ok := w.uint32()
	if !ok {
		return false
	}
	count := int(int32(v))
	if count < 0 || count > len(w.rest)/4 {
		return w.malformed("%d dimensions in %d bytes", count, len(w.rest))
	}
	if count > w.guard.limits.MaxDepth {
		return w.excessive("an array of %d dimensions, more than %d", count, w.guard.limits.MaxDepth)
	}
	if !w.keep(8 * allocated(count)) {
		return false
	}
	product := 1
	for i := range count {
		v, _ := w.uint32()
		d := int(int32(v))
		if d < 1 || d > n/product { // what is more than n can only grow
			return w.malformed("dimension %d is %d in an array of %d elements", i, d, n)
		}
		product *= d
		if i < count-1 && !w.keep(product*sizeRow) {
			return false
		}
	}
	if count > 0 && product != n {
		return w.malformed("the dimensions make %d elements, the array has %d", product, n)
	}
	return true
}
