package guard

import (
	"fmt"
	"reflect"
	"time"

	"github.com/gopcua/opcua/ua"
)

// kind is what a program reads.
type kind uint8

const (
	fixed     kind = iota // so many bytes
	text                  // String, XmlElement: the length, then the bytes, which are copied
	octets                // ByteString: the same, but not copied
	list                  // the count, then the elements
	structure             // field after field
	guid
	nodeID
	expandedNodeID
	localizedText
	extensionObject
	dataValue
	variant
	diagnosticInfo
)

// program is the grammar of one Go type.
type program struct {
	kind kind
	// min is the least that a value takes on the wire, in bytes; never 0. For fixed it is also the
	// most.
	min int
	// place is what a value takes where it stands (a field, an element), keeps what it takes
	// besides when it points to something; box is what it takes in an interface. All in bytes.
	place, keeps, box int

	name   string   // structure: of its type
	fields []field  // structure
	elem   *program // list
}

type field struct {
	name string
	*program
}

// compiler holds the programs that are made. A type that is being compiled has nil.
type compiler map[reflect.Type]*program

var (
	decoder = reflect.TypeFor[ua.BinaryDecoder]()
	instant = reflect.TypeFor[time.Time]()
)

// compile follows the decoder of the codec (decode in ua/decode.go) case by case, in its order.
func (c compiler) compile(t reflect.Type) *program {
	if p, known := c[t]; known {
		if p == nil {
			panic(fmt.Sprintf("guard: %s contains itself", t))
		}
		return p
	}
	c[t] = nil
	p := c.program(t)
	p.place = int(t.Size())
	if t.Kind() != reflect.Pointer && p.place > 1 { // pointers stand in the interface itself, bytes are shared
		p.box = allocated(p.place)
	}
	if p.min < 1 {
		panic(fmt.Sprintf("guard: %s takes no bytes", t))
	}
	c[t] = p
	return p
}

func (c compiler) program(t reflect.Type) *program {
	switch {
	case t.Implements(decoder):
		return native(t)
	case t.ConvertibleTo(instant):
		return &program{kind: fixed, min: 8}
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Uint8, reflect.Int16, reflect.Uint16, reflect.Int32, reflect.Uint32,
		reflect.Int64, reflect.Uint64, reflect.Float32, reflect.Float64:
		return &program{kind: fixed, min: int(t.Size())}
	case reflect.String:
		return &program{kind: text, min: 4}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return &program{kind: octets, min: 4}
		}
		return &program{kind: list, min: 4, elem: c.compile(t.Elem())}
	case reflect.Pointer:
		p := *c.compile(t.Elem())
		if p.kind != structure {
			panic(fmt.Sprintf("guard: no rule for %s", t))
		}
		p.keeps = allocated(p.place)
		return &p
	case reflect.Struct:
		return c.structure(t)
	}
	panic(fmt.Sprintf("guard: no rule for %s", t))
}

func (c compiler) structure(t reflect.Type) *program {
	p := &program{kind: structure, name: t.Name()}
	for i := range t.NumField() {
		f := field{name: t.Field(i).Name, program: c.compile(t.Field(i).Type)}
		p.fields = append(p.fields, f)
		p.min += f.min
	}
	return p
}

// native is for types that decode themselves.
func native(t reflect.Type) *program {
	p := &program{min: 1}
	switch t {
	case reflect.TypeFor[*ua.GUID]():
		p.kind, p.min = guid, 16
	case reflect.TypeFor[*ua.NodeID]():
		p.kind, p.min = nodeID, 2
	case reflect.TypeFor[*ua.ExpandedNodeID]():
		p.kind, p.min = expandedNodeID, 2
	case reflect.TypeFor[*ua.LocalizedText]():
		p.kind = localizedText
	case reflect.TypeFor[*ua.ExtensionObject]():
		p.kind, p.min = extensionObject, 3
	case reflect.TypeFor[*ua.DataValue]():
		p.kind = dataValue
	case reflect.TypeFor[*ua.Variant]():
		p.kind = variant
	case reflect.TypeFor[*ua.DiagnosticInfo]():
		p.kind = diagnosticInfo
	default:
		panic(fmt.Sprintf("guard: no rule for %s, which decodes itself", t))
	}
	return p
}
