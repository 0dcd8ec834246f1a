package value

import "github.com/gopcua/opcua/ua"

// Type is a data type that a variable or an argument may have. The zero value is none.
type Type struct {
	Builtin ua.TypeID
	Array   bool // of one dimension
}

// ParseType reads a data type as files name it: "Boolean", "Int32", "i=6", … without regard to
// case. valueRank is -1 (scalar) or 1 (array). The error names what is wrong and the nearest
// valid name.
func ParseType(name string, valueRank int) (Type, error) { panic("not written") }

// NodeID is the node id of the data type in namespace 0.
func (t Type) NodeID() *ua.NodeID { panic("not written") }

// ValueRank is -1 or 1.
func (t Type) ValueRank() int32 { panic("not written") }

func (t Type) String() string { panic("not written") }

// Zero is the value of a variable that was never given one.
func (t Type) Zero() *ua.Variant { panic("not written") }

// Parse makes a value of JSON text. The error says what does not fit, without quoting more than
// a few bytes. The variant does not alias the text.
func (t Type) Parse(text []byte) (*ua.Variant, error) { panic("not written") }

// Accepts says whether a variant that a client sent is a value of the type (OPC 10000-4, 5.11.4:
// else BadTypeMismatch), and of at most maxArray elements.
func (t Type) Accepts(v *ua.Variant) bool { panic("not written") }

// AppendJSON appends the JSON text of a variant of one of the types.
func AppendJSON(dst []byte, v *ua.Variant) ([]byte, error) { panic("not written") }

// Range is a NumericRange of one dimension. The zero value means the whole value.
type Range struct {
	Low, High int
	Set       bool
}

// ParseRange reads "", "3" or "3:7". The status is BadIndexRangeInvalid if it is none of these
// (also for several dimensions that do not fit any value here).
func ParseRange(text string) (Range, ua.StatusCode) { panic("not written") }

// Read gives the part of a value, or BadIndexRangeNoData, or BadIndexRangeInvalid for a value
// that has no parts.
func (r Range) Read(v *ua.Variant) (*ua.Variant, ua.StatusCode) { panic("not written") }

// Write gives a copy of old with part put in place of the range, or the status that
// OPC 10000-4, 5.11.4 names.
func (r Range) Write(old, part *ua.Variant) (*ua.Variant, ua.StatusCode) { panic("not written") }

// BadStatus reads a status code as responders and files give it: a number, also in its negative
// 32-bit form, or a name such as "BadTimeout" (with or without Bad's prefix "Status"). ok is
// false unless it is a known Bad code.
func BadStatus(code int64, name string) (status ua.StatusCode, ok bool) { panic("not written") }

// Equal says whether two values are the same, for data changes.
func Equal(a, b *ua.Variant) bool { panic("not written") }
