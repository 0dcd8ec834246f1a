package guard_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/gopcua/opcua/ua"
)

// generator fills values of the codec's types at random. Nil and empty are told apart where the
// codec does: so that what comes back is equal.
type generator struct {
	*rand.Rand
	depth int // of what may still be nested
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 0)), depth: 4}
}

// request makes a filled-in request of the type of v.
func (g *generator) request(v any) any {
	return g.value(reflect.TypeOf(v)).Interface()
}

func (g *generator) value(t reflect.Type) reflect.Value {
	if v := g.builtin(t); v != nil {
		return reflect.ValueOf(v)
	}
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Bool:
		v.SetBool(g.IntN(2) == 0)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(g.Uint64()) >> (64 - t.Bits()))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(g.Uint64() >> (64 - t.Bits()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(g.NormFloat64())))
	case reflect.String:
		v.SetString(g.text())
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(g.value(t.Elem()))
	case reflect.Struct:
		for i := range t.NumField() {
			v.Field(i).Set(g.value(t.Field(i).Type))
		}
	case reflect.Slice:
		if n := g.IntN(5) - 1; n >= 0 {
			v.Set(g.slice(t, n))
		}
	default:
		panic(t)
	}
	return v
}

func (g *generator) slice(t reflect.Type, n int) reflect.Value {
	v := reflect.MakeSlice(t, n, n)
	for i := range n {
		v.Index(i).Set(g.value(t.Elem()))
	}
	return v
}

// builtin is for the types that have a form of their own; else it is nil.
func (g *generator) builtin(t reflect.Type) any {
	switch t {
	case reflect.TypeFor[time.Time]():
		return time.Unix(g.Int64N(1<<33)-1<<31, g.Int64N(1e7)*100).UTC()
	case reflect.TypeFor[*ua.GUID]():
		return ua.NewGUID(fmt.Sprintf("%016x%016x", g.Uint64(), g.Uint64()))
	case reflect.TypeFor[*ua.NodeID]():
		return g.nodeID()
	case reflect.TypeFor[*ua.ExpandedNodeID]():
		return ua.NewExpandedNodeID(g.nodeID(), g.text(), uint32(g.IntN(2)))
	case reflect.TypeFor[*ua.LocalizedText]():
		return ua.NewLocalizedTextWithLocale(g.text(), g.text())
	case reflect.TypeFor[*ua.DataValue]():
		return g.dataValue()
	case reflect.TypeFor[*ua.DiagnosticInfo]():
		return g.diagnosticInfo()
	case reflect.TypeFor[*ua.ExtensionObject]():
		return g.extensionObject()
	case reflect.TypeFor[*ua.Variant]():
		return g.variant()
	}
	return nil
}

func (g *generator) text() string {
	return []string{"", "x", "Größe", "\x00", "\xff\xfe", "urn:a:b", "a somewhat longer text"}[g.IntN(7)]
}

func (g *generator) nodeID() *ua.NodeID {
	ns := uint16(g.IntN(4))
	switch g.IntN(6) {
	case 0:
		return ua.NewTwoByteNodeID(uint8(g.Uint32()))
	case 1:
		return ua.NewFourByteNodeID(uint8(ns), uint16(g.Uint32()))
	case 2:
		return ua.NewNumericNodeID(ns, g.Uint32())
	case 3:
		return ua.NewGUIDNodeID(ns, fmt.Sprintf("%016x%016x", g.Uint64(), g.Uint64()))
	case 4:
		return ua.NewByteStringNodeID(ns, []byte{byte(g.Uint32()), 1})
	}
	return ua.NewStringNodeID(ns, "x"+g.text())
}

// down says whether one more level is wanted, and up ends it.
func (g *generator) down() bool { g.depth--; return g.depth >= 0 }
func (g *generator) up()        { g.depth++ }

func (g *generator) dataValue() *ua.DataValue {
	defer g.up()
	v := &ua.DataValue{Value: new(ua.Variant)}
	if g.down() {
		v = g.value(reflect.TypeFor[ua.DataValue]()).Addr().Interface().(*ua.DataValue)
		v.UpdateMask()
	}
	return v
}

func (g *generator) diagnosticInfo() *ua.DiagnosticInfo {
	defer g.up()
	v := new(ua.DiagnosticInfo)
	if g.down() {
		v = g.value(reflect.TypeFor[ua.DiagnosticInfo]()).Addr().Interface().(*ua.DiagnosticInfo)
	}
	v.UpdateMask()
	return v
}

// structures are what may be in an ExtensionObject.
func structures() []any {
	return []any{
		new(ua.AnonymousIdentityToken), new(ua.UserNameIdentityToken), new(ua.X509IdentityToken), new(ua.IssuedIdentityToken),
		new(ua.DataChangeFilter), new(ua.EventFilter), new(ua.AggregateFilter),
		new(ua.ElementOperand), new(ua.LiteralOperand), new(ua.AttributeOperand), new(ua.SimpleAttributeOperand),
		new(ua.AdditionalParametersType), new(ua.EphemeralKeyType), new(ua.Argument), new(ua.AxisInformation),
		new(ua.ComplexNumberType), new(ua.DoubleComplexNumberType), new(ua.EnumValueType), new(ua.EUInformation),
		new(ua.KeyValuePair), new(ua.Range), new(ua.TimeZoneDataType), new(ua.XVType),
	}
}

func (g *generator) extensionObject() *ua.ExtensionObject {
	defer g.up()
	if !g.down() || g.IntN(4) == 0 {
		return ua.NewExtensionObject(nil)
	}
	all := structures()
	return ua.NewExtensionObject(g.request(all[g.IntN(len(all))]))
}

// variantTypes are what Variants may hold.
var variantTypes = []reflect.Type{
	reflect.TypeFor[bool](), reflect.TypeFor[int8](), reflect.TypeFor[uint8](), reflect.TypeFor[int16](), reflect.TypeFor[uint16](),
	reflect.TypeFor[int32](), reflect.TypeFor[uint32](), reflect.TypeFor[int64](), reflect.TypeFor[uint64](),
	reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[string](), reflect.TypeFor[time.Time](),
	reflect.TypeFor[*ua.GUID](), reflect.TypeFor[ua.XMLElement](), reflect.TypeFor[*ua.NodeID](), reflect.TypeFor[*ua.ExpandedNodeID](),
	reflect.TypeFor[ua.StatusCode](), reflect.TypeFor[*ua.QualifiedName](), reflect.TypeFor[*ua.LocalizedText](),
	reflect.TypeFor[*ua.ExtensionObject](), reflect.TypeFor[*ua.DataValue](), reflect.TypeFor[*ua.Variant](), reflect.TypeFor[*ua.DiagnosticInfo](),
}

func (g *generator) variant() *ua.Variant {
	defer g.up()
	if !g.down() || g.IntN(8) == 0 {
		return new(ua.Variant)
	}
	t := variantTypes[g.IntN(len(variantTypes))]
	switch g.IntN(6) {
	case 0:
		return ua.MustVariant(g.slice(reflect.SliceOf(reflect.TypeFor[[]byte]()), 0).Interface())
	case 1:
		return ua.MustVariant([]byte{1, byte(g.Uint32())})
	case 2:
		if t.Kind() == reflect.Uint8 {
			return ua.MustVariant(ua.ByteArray{1, 2, 3})
		}
		return ua.MustVariant(g.slice(reflect.SliceOf(t), g.IntN(4)).Interface())
	case 3:
		return ua.MustVariant(g.matrix(t))
	}
	return ua.MustVariant(g.value(t).Interface())
}

// matrix is an array of two dimensions.
func (g *generator) matrix(t reflect.Type) any {
	if t.Kind() == reflect.Uint8 {
		return []ua.ByteArray{{1, 2}, {3, 4}, {5, 6}}
	}
	row := reflect.SliceOf(t)
	rows, columns := 1+g.IntN(3), 1+g.IntN(3)
	v := reflect.MakeSlice(reflect.SliceOf(row), rows, rows)
	for i := range rows {
		v.Index(i).Set(g.slice(row, columns))
	}
	return v.Interface()
}
