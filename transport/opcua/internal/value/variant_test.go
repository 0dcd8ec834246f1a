package value_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// typeNames are all types, scalar and as an array.
var typeNames = func() (names []string) {
	for _, n := range []string{
		"Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double",
		"String", "DateTime", "Guid", "ByteString", "LocalizedText", "QualifiedName",
	} {
		names = append(names, n, n+"[]")
	}
	return names
}()

func TestTypeOfName(t *testing.T) {
	for _, name := range typeNames {
		typ := typeOf(t, name)
		require.Equal(t, name, typ.String())
		require.Equal(t, typ.Array, typ.ValueRank() == 1)
	}
	for _, c := range []struct {
		name string
		want ua.TypeID
	}{
		{"uint16", ua.TypeIDUint16},
		{"GUID", ua.TypeIDGUID},
		{"i=6", ua.TypeIDInt32},
		{"ns=0;i=12", ua.TypeIDString},
		{"I=13", ua.TypeIDDateTime},
	} {
		typ, err := value.ParseType(c.name, -1)
		require.NoError(t, err)
		require.Equal(t, value.Type{Builtin: c.want}, typ)
		require.Equal(t, ua.NewNumericNodeID(0, uint32(c.want)), typ.NodeID())
	}
	require.Equal(t, "no type", value.Type{}.String())
}

func TestTypeThatIsNone(t *testing.T) {
	for _, c := range []struct {
		name string
		rank int
		says string
	}{
		{"Int", -1, `unknown data type Int: did you mean Int16?`},
		{"Bool", -1, "did you mean Boolean?"},
		{"Strng", -1, "did you mean String?"},
		{"", -1, `unknown data type ""`},
		{"i=0", -1, "data type i=0 is not supported"},
		{"i=9999", -1, "data type i=9999 is not supported"},
		{"i=99999999999", -1, "unknown data type"},
		{"ns=1;i=6", -1, "unknown data type"},
		{"i=-6", -1, "unknown data type"},
		{string(make([]byte, 100000)), -1, "unknown data type"},
		{"Structure", -1, "data type Structure is not supported"},
		{"i=22", -1, "data type Structure is not supported"},
		{"NodeId", -1, "data type NodeId is not supported: use String"},
		{"number", -1, "data type Number is not supported: use Double"},
		{"UtcTime", 1, "data type UtcTime is not supported: use DateTime"},
		{"Int32", 0, "value rank 0 is not supported: use -1 for a scalar or 1 for an array"},
		{"Int32", 2, "value rank 2"},
		{"Int32", -2, "value rank -2"},
	} {
		typ, err := value.ParseType(c.name, c.rank)
		require.ErrorContains(t, err, c.says)
		require.Less(t, len(err.Error()), 300)
		require.Zero(t, typ)
	}
}

func TestZero(t *testing.T) {
	for _, name := range typeNames {
		typ := typeOf(t, name)
		require.True(t, typ.Accepts(typ.Zero()), name)
		require.True(t, typ.Accepts(throughWire(t, typ.Zero())), name)
	}
	text := func(name string) string {
		b, err := value.AppendJSON(nil, typeOf(t, name).Zero())
		require.NoError(t, err)
		return string(b)
	}
	require.Equal(t, "false", text("Boolean"))
	require.Equal(t, "0", text("Double"))
	require.Equal(t, `""`, text("String"))
	require.Equal(t, "null", text("DateTime"))
	require.Equal(t, `"00000000-0000-0000-0000-000000000000"`, text("Guid"))
	require.Equal(t, "[]", text("Byte[]"))
	require.Panics(t, func() { value.Type{}.Zero() })
}

// samples have a value of each Go type that the codec makes.
func samples() map[string]*ua.Variant {
	m := map[string]*ua.Variant{}
	for name, v := range map[string]any{
		"Boolean": true, "SByte": int8(1), "Byte": uint8(1), "Int16": int16(1), "UInt16": uint16(1),
		"Int32": int32(1), "UInt32": uint32(1), "Int64": int64(1), "UInt64": uint64(1),
		"Float": float32(1), "Double": 1.0, "String": "a", "DateTime": time.Unix(1, 0),
		"Guid": new(ua.GUID), "ByteString": []byte{1}, "LocalizedText": ua.NewLocalizedTextWithLocale("a", "de"),
		"QualifiedName": &ua.QualifiedName{NamespaceIndex: 1, Name: "a"},
		"Boolean[]":     []bool{true}, "SByte[]": []int8{1}, "Byte[]": ua.ByteArray{1}, "Int16[]": []int16{1},
		"UInt16[]": []uint16{1}, "Int32[]": []int32{1}, "UInt32[]": []uint32{1}, "Int64[]": []int64{1},
		"UInt64[]": []uint64{1}, "Float[]": []float32{1}, "Double[]": []float64{1}, "String[]": []string{"a"},
		"DateTime[]": []time.Time{time.Unix(1, 0)}, "Guid[]": []*ua.GUID{new(ua.GUID)},
		"ByteString[]":    [][]byte{{1}},
		"LocalizedText[]": []*ua.LocalizedText{ua.NewLocalizedText("a")},
		"QualifiedName[]": []*ua.QualifiedName{{Name: "a"}},
	} {
		m[name] = ua.MustVariant(v)
	}
	return m
}

func TestAccepts(t *testing.T) {
	others := []any{
		nil, ua.XMLElement("a"), ua.StatusOK, ua.NewNumericNodeID(0, 1), ua.MustVariant(int32(1)),
		[][][]byte{{{1}}}, [][]int32{{1}}, []*ua.Variant{ua.MustVariant(int32(1))}, ua.NewExtensionObject(nil),
		"\xff", []string{"a", "\xff"}, ua.NewLocalizedText("\xff"), ua.NewLocalizedTextWithLocale("a", "\xff"),
		&ua.QualifiedName{Name: "\xff"}, make([]bool, value.MaxArray+1),
		time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(0, 150),
		[]time.Time{time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	for _, name := range typeNames {
		typ := typeOf(t, name)
		for other, v := range samples() {
			require.Equal(t, name == other, typ.Accepts(v), "%s accepts %s", name, other)
		}
		for _, v := range others {
			require.False(t, typ.Accepts(ua.MustVariant(v)), "%s accepts %T %v", name, v, v)
		}
		require.False(t, typ.Accepts(nil))
	}
	require.True(t, typeOf(t, "Boolean[]").Accepts(ua.MustVariant(make([]bool, value.MaxArray))))
	require.True(t, typeOf(t, "Boolean[]").Accepts(ua.MustVariant([]bool(nil))))
	require.False(t, value.Type{}.Accepts(ua.MustVariant(nil)))
}

// What the codec makes of any number of ticks is what was meant again, once it is adapted; and
// what was no DateTime is not accepted.
func TestAdaptGivesTheTimeThatWasMeant(t *testing.T) {
	typ := typeOf(t, "DateTime")
	const last = 2650467743990000000 // 9999-12-31T23:59:59
	check := func(ticks uint64, want bool) {
		wire := binary.LittleEndian.AppendUint64([]byte{byte(ua.TypeIDDateTime)}, ticks)
		v := new(ua.Variant)
		_, err := v.Decode(wire)
		require.NoError(t, err)
		v = typ.Adapt(v)
		require.Equal(t, want, typ.Accepts(v), "%d ticks: %v", ticks, v.Value())
		if !want {
			return
		}
		got, err := value.AppendBinary(nil, v)
		require.NoError(t, err)
		if ticks == last {
			wire = binary.LittleEndian.AppendUint64(wire[:1], math.MaxInt64)
		}
		require.Equal(t, wire, got, "%d ticks", ticks)
	}
	const min64, max64 = 24174335993145224, 208708057162259758 // what the codec can carry, about
	for ticks := range uint64(1000) {
		check(ticks, true)
		check(last-ticks, true)
		check(min64-500+ticks, true)
		check(max64-500+ticks, true)
		check(last+1+ticks, false)
	}
	for ticks := uint64(1); ticks < last; ticks += last / 9973 {
		check(ticks, true)
	}
	check(math.MaxInt64, true)
	for _, ticks := range []uint64{1<<62 - 2, math.MaxInt64 - 1, math.MaxUint64 - 1} {
		check(ticks, false)
	}
}

func TestAdapt(t *testing.T) {
	bytes := typeOf(t, "Byte[]")
	s := ua.MustVariant([]byte{1, 2})
	require.False(t, bytes.Accepts(s))
	require.True(t, bytes.Accepts(bytes.Adapt(s)))
	require.Equal(t, ua.ByteArray{1, 2}, throughWire(t, bytes.Adapt(s)).Value())
	require.True(t, bytes.Accepts(bytes.Adapt(ua.MustVariant([]byte(nil)))))

	adapted := bytes.Adapt(s)
	s.ByteString()[0] = 9
	require.Equal(t, ua.ByteArray{1, 2}, adapted.Value(), "the bytes are a copy")

	for _, name := range []string{"ByteString", "Byte", "String"} {
		require.Equal(t, s, typeOf(t, name).Adapt(s))
	}
	require.Nil(t, bytes.Adapt(nil))
	n := ua.MustVariant(int32(1))
	require.Same(t, n, bytes.Adapt(n))
}

// What the codec decodes aliases the request in places; what was adapted does not.
func TestAdaptOwnsItsMemory(t *testing.T) {
	for _, v := range []any{
		[]byte{1, 2}, [][]byte{{1}, {2, 3}}, ua.NewGUID("72962b91-fa75-4ae6-8d28-b404dc7daf63"),
		[]*ua.GUID{ua.NewGUID("72962b91-fa75-4ae6-8d28-b404dc7daf63")}, "text", []string{"text"}, ua.ByteArray{1, 2},
		ua.NewLocalizedText("text"), &ua.QualifiedName{Name: "text"},
	} {
		var wire []byte
		if list, ok := v.([][]byte); ok {
			wire = []byte{0x8f, byte(len(list)), 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 2, 3}
		} else {
			var err error
			wire, err = ua.MustVariant(v).Encode()
			require.NoError(t, err)
		}
		decoded := new(ua.Variant)
		_, err := decoded.Decode(wire)
		require.NoError(t, err)
		own := value.Type{Builtin: ua.TypeIDString}.Adapt(decoded)
		clear(wire)
		require.Equal(t, v, own.Value())
	}
	require.Nil(t, value.Type{}.Adapt(ua.MustVariant((*ua.GUID)(nil))).Value())
}

func TestAppendJSONRefuses(t *testing.T) {
	for _, v := range []any{
		nil, ua.XMLElement("a"), [][]int32{{1}}, "\xff", []string{"\xff"}, ua.NewLocalizedText("\xff"),
		&ua.QualifiedName{Name: "\xff"}, &ua.GUID{}, time.Unix(0, 1), (*ua.GUID)(nil),
	} {
		_, err := value.AppendJSON(nil, ua.MustVariant(v))
		require.Error(t, err, "%T", v)
	}
	_, err := value.AppendJSON(nil, nil)
	require.Error(t, err)
}

func TestAppendJSONOfNulls(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{(*ua.LocalizedText)(nil), `""`},
		{(*ua.QualifiedName)(nil), `""`},
		{[]byte(nil), `""`},
		{[][]byte(nil), "[]"},
		{[][]byte{nil}, `[""]`},
		{[]int32(nil), "[]"},
		{ua.ByteArray(nil), "[]"},
		{time.Time{}, "null"},
	} {
		b, err := value.AppendJSON(nil, ua.MustVariant(c.v))
		require.NoError(t, err)
		require.Equal(t, c.want, string(b))
	}
}

func TestEqual(t *testing.T) {
	for name, a := range samples() {
		for other, b := range samples() {
			require.Equal(t, name == other, value.Equal(a, b), "%s and %s", name, other)
		}
	}
	nan := math.NaN()
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{nan, nan, true},
		{nan, 1.0, false},
		{float32(nan), float32(nan), true},
		{[]float64{nan, 1}, []float64{nan, 1}, true},
		{[]float32{1, 2}, []float32{1}, false},
		{0.0, math.Copysign(0, -1), true},
		{int32(1), int32(2), false},
		{[]int32{1}, []int32{2}, false},
		{[]int32{}, []int32(nil), true},
		{[]int32{}, []int32{0}, false},
		{ua.ByteArray{}, ua.ByteArray(nil), true},
		{[]byte{}, []byte(nil), true},
		{[]byte{1}, ua.ByteArray{1}, false},
		{ua.ByteArray{1}, []ua.ByteArray{{1}}, false},
		{[]float64{1}, [][]float64{{1}}, false},
		{"a", "b", false},
		{time.Unix(1, 0), time.Unix(1, 0).UTC(), true},
		{time.Unix(1, 0), time.Unix(2, 0), false},
		{[]time.Time{time.Unix(1, 0)}, []time.Time{time.Unix(1, 0).UTC()}, true},
		{ua.NewLocalizedText("a"), ua.NewLocalizedTextWithLocale("a", "de"), false},
		{ua.NewNumericNodeID(0, 1), ua.NewNumericNodeID(0, 1), true},
		{nil, nil, true},
		{nil, int32(0), false},
	} {
		a, b := ua.MustVariant(c.a), ua.MustVariant(c.b)
		require.Equal(t, c.want, value.Equal(a, b), "%T %v and %T %v", c.a, c.a, c.b, c.b)
		require.Equal(t, c.want, value.Equal(b, a), "%T %v and %T %v", c.b, c.b, c.a, c.a)
	}
	require.True(t, value.Equal(nil, nil))
	require.True(t, value.Equal(nil, ua.MustVariant(nil)))
	require.False(t, value.Equal(nil, ua.MustVariant("")))
}

func TestNumbers(t *testing.T) {
	for name, v := range samples() {
		typ := typeOf(t, name)
		numeric := ua.TypeIDSByte <= typ.Builtin && typ.Builtin <= ua.TypeIDDouble
		f, ok := value.Number(v)
		require.Equal(t, numeric && !typ.Array, ok, name)
		if ok {
			require.Equal(t, 1.0, f)
		}
		fs, ok := value.Numbers(v)
		require.Equal(t, numeric && typ.Array, ok, name)
		if ok {
			require.Equal(t, []float64{1}, fs)
		}
	}
	_, ok := value.Number(nil)
	require.False(t, ok)
	_, ok = value.Numbers(nil)
	require.False(t, ok)
}
