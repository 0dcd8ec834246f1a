package guard

import (
	"unsafe"

	"github.com/gopcua/opcua/ua"
)

// What the codec allocates for a value of each of these, in bytes.
var (
	sizeGUID            = allocated(int(unsafe.Sizeof(ua.GUID{})))
	sizeNodeID          = allocated(int(unsafe.Sizeof(ua.NodeID{})))
	sizeExpandedNodeID  = allocated(int(unsafe.Sizeof(ua.ExpandedNodeID{})))
	sizeLocalizedText   = allocated(int(unsafe.Sizeof(ua.LocalizedText{})))
	sizeExtensionObject = allocated(int(unsafe.Sizeof(ua.ExtensionObject{})))
	sizeDataValue       = allocated(int(unsafe.Sizeof(ua.DataValue{})))
	sizeVariant         = allocated(int(unsafe.Sizeof(ua.Variant{})))
	sizeDiagnosticInfo  = allocated(int(unsafe.Sizeof(ua.DiagnosticInfo{})))
)

const (
	sizeSlice = 24 // a slice in an interface
	// sizeRow is for one row of an array of several dimensions: the slice itself, and what the
	// codec collects the rows in while it splits.
	sizeRow = 96
)

// allocated is what an object of so many bytes takes: the allocator has sizes in steps, which
// are of 8 bytes up to 32, of 16 bytes up to 256, and of at most an eighth above.
func allocated(size int) int {
	switch {
	case size <= 32:
		return (size + 7) &^ 7
	case size <= 256:
		return (size + 15) &^ 15
	}
	return size + size/8
}

// keep takes what decoding keeps from the budget.
func (w *walker) keep(size int) bool {
	w.budget -= size
	if w.budget >= 0 {
		return true
	}
	return w.excessive("the request would take much more memory than it is long")
}
