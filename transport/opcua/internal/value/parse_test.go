package value_test

import (
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// typeOf reads "Int32" and "Int32[]".
func typeOf(t testing.TB, name string) value.Type {
	t.Helper()
	name, array := strings.CutSuffix(name, "[]")
	rank := -1
	if array {
		rank = 1
	}
	typ, err := value.ParseType(name, rank)
	require.NoError(t, err)
	return typ
}

// throughWire encodes a variant, lets the codec decode it, and adapts that.
func throughWire(t testing.TB, v *ua.Variant) *ua.Variant {
	t.Helper()
	b, err := value.AppendBinary(nil, v)
	require.NoError(t, err)
	back := new(ua.Variant)
	n, err := back.Decode(b)
	require.NoError(t, err)
	require.Equal(t, len(b), n)
	return value.Type{Builtin: back.Type(), Array: back.Has(ua.VariantArrayValues)}.Adapt(back)
}

// good are texts of each type, and what is written for them, if it is not the same.
var good = []struct{ typ, in, out string }{
	{"Boolean", "true", ""},
	{"Boolean", " false\r\n", "false"},
	{"Boolean[]", "[true,false]", ""},
	{"SByte", "-128", ""},
	{"SByte", "127", ""},
	{"SByte", "-0", "0"},
	{"SByte[]", "[ -1 , 0,\t1 ]", "[-1,0,1]"},
	{"Byte", "255", ""},
	{"Byte", "-0.0", "0"},
	{"Byte[]", "[0,255]", ""},
	{"Byte[]", "[]", ""},
	{"Int16", "-32768", ""},
	{"Int16", "32767", ""},
	{"Int16[]", "[1]", ""},
	{"UInt16", "65535", ""},
	{"UInt16[]", "[1]", ""},
	{"Int32", "-2147483648", ""},
	{"Int32", "2147483647", ""},
	{"Int32", "1.0", "1"},
	{"Int32", "1e3", "1000"},
	{"Int32", "1.50e1", "15"},
	{"Int32", "1200E-2", "12"},
	{"Int32", "0e999999999999999999999999999", "0"},
	{"Int32[]", "[1,2.0,3e0]", "[1,2,3]"},
	{"Int32[]", "[]", ""},
	{"UInt32", "4294967295", ""},
	{"UInt32[]", "[4294967295]", ""},
	{"Int64", `"9223372036854775807"`, ""},
	{"Int64", `"-9223372036854775808"`, ""},
	{"Int64", "9223372036854775807", `"9223372036854775807"`},
	{"Int64", "-9223372036854775808", `"-9223372036854775808"`},
	{"Int64", "9.007199254740993e15", `"9007199254740993"`},
	{"Int64", `"\u0031"`, `"1"`},
	{"Int64[]", `["1",2]`, `["1","2"]`},
	{"UInt64", `"18446744073709551615"`, ""},
	{"UInt64", "18446744073709551615", `"18446744073709551615"`},
	{"UInt64[]", `["1"]`, ""},
	{"Float", "0.1", ""},
	{"Float", "16777217", "16777216"},
	{"Float", "3.4028235e38", "3.4028235e+38"},
	{"Float", "1e-46", "0"},
	{"Float", `"NaN"`, ""},
	{"Float", `"Infinity"`, ""},
	{"Float", `"-Infinity"`, ""},
	{"Float[]", `[1,"NaN"]`, ""},
	{"Double", "1e21", "1e+21"},
	{"Double", "1e20", "100000000000000000000"},
	{"Double", "1e-7", ""},
	{"Double", "-0", ""},
	{"Double", "1.7976931348623157e308", "1.7976931348623157e+308"},
	{"Double[]", `[0.5,"-Infinity"]`, ""},
	{"String", `"a\"\\\n\r\t\u0000\u001f<>&é\ud83d\ude00/"`, `"a\"\\\n\r\t\u0000\u001f<>&é😀/"`},
	{"String", `"\ud800"`, "\"\ufffd\""},
	{"String", "null", `""`},
	{"String", `""`, ""},
	{"String[]", `["a,]\"",null,""]`, `["a,]\"","",""]`},
	{"DateTime", "null", ""},
	{"DateTime", `"2026-11-24T15:04:05Z"`, ""},
	{"DateTime", `"2026-11-24T15:04:05.1234567Z"`, ""},
	{"DateTime", `"2026-11-24T15:04:05.123456789Z"`, `"2026-11-24T15:04:05.1234567Z"`},
	{"DateTime", `"2026-11-24T15:04:05.5+05:30"`, `"2026-11-24T09:34:05.5Z"`},
	{"DateTime", `"1969-12-31T23:59:59.9999999Z"`, ""},
	{"DateTime", `"1677-09-21T00:12:43.1452242Z"`, ""},
	{"DateTime", `"1677-09-21T00:12:43.1452241Z"`, ""},
	{"DateTime", `"2262-04-11T23:47:16.8547758Z"`, ""},
	{"DateTime", `"2262-04-11T23:47:16.8547759Z"`, ""},
	{"DateTime", `"1601-01-01T00:00:00.0000001Z"`, ""},
	{"DateTime", `"1601-01-01T00:00:00Z"`, "null"},
	{"DateTime", `"3000-02-28T12:00:00.7654321Z"`, ""},
	{"DateTime", `"9999-12-31T23:59:58.9999999Z"`, ""},
	{"DateTime", `"9999-12-31T23:59:59Z"`, ""},
	{"DateTime", `"9999-12-31T23:59:59.9999999Z"`, `"9999-12-31T23:59:59Z"`},
	{"DateTime[]", `["9999-12-31T23:59:59Z","1650-01-01T00:00:00Z","2026-11-24T15:04:05Z",null]`, ""},
	{"DateTime[]", `["2026-11-24T15:04:05Z",null]`, ""},
	{"Guid", `"72962B91-FA75-4ae6-8d28-b404dc7daf63"`, `"72962b91-fa75-4ae6-8d28-b404dc7daf63"`},
	{"Guid[]", `["00000000-0000-0000-0000-000000000001"]`, ""},
	{"ByteString", `"AAH/"`, ""},
	{"ByteString", `"AA=="`, ""},
	{"ByteString", `""`, ""},
	{"ByteString", "null", `""`},
	{"ByteString[]", `["AAH/","","AA=="]`, ""},
	{"ByteString[]", `["AA==",null]`, `["AA==",""]`},
	{"ByteString[]", "[]", ""},
	{"LocalizedText", `"Störung"`, ""},
	{"LocalizedText", "null", `""`},
	{"LocalizedText[]", `["a",""]`, ""},
	{"QualifiedName", `"1:Name"`, ""},
	{"QualifiedName", "null", `""`},
	{"QualifiedName[]", `["a",""]`, ""},
}

func TestParse(t *testing.T) {
	for _, c := range good {
		t.Run(c.typ+" "+c.in, func(t *testing.T) {
			typ := typeOf(t, c.typ)
			v, err := typ.Parse([]byte(c.in))
			require.NoError(t, err)
			require.True(t, typ.Accepts(v))

			want := c.out
			if want == "" {
				want = c.in
			}
			for _, v := range []*ua.Variant{v, throughWire(t, v)} {
				out, err := value.AppendJSON([]byte("x"), v)
				require.NoError(t, err)
				require.Equal(t, "x"+want, string(out))
			}
			require.True(t, typ.Accepts(throughWire(t, v)))
			require.True(t, value.Equal(v, throughWire(t, v)))
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ typ, in, says string }{
		{"Boolean", "1", `1 is not of type Boolean: true or false is expected`},
		{"Boolean", "null", "true or false is expected"},
		{"Boolean", `"true"`, "true or false is expected"},
		{"Boolean", "[true]", "true or false is expected"},
		{"Boolean[]", "true", "an array is expected"},
		{"Boolean[]", "null", "an array is expected"},
		{"Boolean[]", "[true,[true]]", "element 1: [true]] is not of type Boolean: true or false is expected"},
		{"Boolean[]", "[true,{}]", "element 1"},
		{"SByte", "128", "out of range"},
		{"SByte", "-129", "out of range"},
		{"Byte", "256", "out of range"},
		{"Byte", "-1", "out of range"},
		{"Byte[]", "[0,-1]", "element 1"},
		{"Byte[]", `"AA=="`, "an array is expected"},
		{"Int16", "32768", "out of range"},
		{"Int16", "-32769", "out of range"},
		{"UInt16", "65536", "out of range"},
		{"Int32", "2147483648", "out of range"},
		{"Int32", "-2147483649", "out of range"},
		{"Int32", "1.5", "not an integer"},
		{"Int32", "1e-1", "not an integer"},
		{"Int32", "1e999999999", "out of range"},
		{"Int32", "1e99999999999999999999999999999", "out of range"},
		{"Int32", "1e-99999999999999999999999999999", "not an integer"},
		{"Int32", "1.00000000000000000000000000001", "not an integer"},
		{"Int32", `"1"`, "a number is expected"},
		{"Int32", "null", "a number is expected"},
		{"Int32", "{}", "a number is expected"},
		{"Int32", "", "not JSON"},
		{"Int32", "1 2", "not JSON: at byte 2"},
		{"Int32", "01", "not JSON"},
		{"Int32[]", "[1,]", "not JSON"},
		{"Int32[]", "[1,null]", "element 1"},
		{"UInt32", "4294967296", "out of range"},
		{"UInt32", "-1", "out of range"},
		{"Int64", `"9223372036854775808"`, "out of range"},
		{"Int64", `"-9223372036854775809"`, "out of range"},
		{"Int64", `""`, "an integer, or a string"},
		{"Int64", `"-"`, "an integer, or a string"},
		{"Int64", `" 1"`, "an integer, or a string"},
		{"Int64", `"+1"`, "an integer, or a string"},
		{"Int64", `"007"`, "an integer, or a string"},
		{"Int64", `"1.0"`, "an integer, or a string"},
		{"Int64", `"1e3"`, "an integer, or a string"},
		{"Int64", "true", "an integer, or a string"},
		{"UInt64", "18446744073709551616", "out of range"},
		{"UInt64", `"99999999999999999999"`, "out of range"},
		{"UInt64", `"-1"`, "out of range"},
		{"UInt64", "1e20", "out of range"},
		{"Float", "3.5e38", "out of range"},
		{"Float", "1e999999999", "out of range"},
		{"Float", `"Inf"`, "a number, "},
		{"Float", `"1"`, "a number, "},
		{"Float", "null", "a number, "},
		{"Double", "-1e309", "out of range"},
		{"Double", "false", "a number, "},
		{"String", "1", "a string is expected"},
		{"String", `["a"]`, "a string is expected"},
		{"String", "\"\xff\"", "not JSON"},
		{"DateTime", "0", "a string is expected"},
		{"DateTime", `""`, "RFC 3339"},
		{"DateTime", `"2026-11-24"`, "RFC 3339"},
		{"DateTime", `"2026-11-24T15:04:05"`, "RFC 3339"},
		{"DateTime", `"2026-11-24 15:04:05Z"`, "RFC 3339"},
		{"DateTime", `"2026-11-24T15:04:05,5Z"`, "RFC 3339"},
		{"DateTime", `"2026-11-24T5:04:05Z"`, "RFC 3339"},
		{"DateTime", `"2026-02-30T15:04:05Z"`, "RFC 3339"},
		{"DateTime", `"2026-11-24T15:04:05+25:00"`, "RFC 3339"},
		{"DateTime", `"0001-01-01T00:00:00Z"`, "from 1601"},
		{"DateTime", `"1600-12-31T23:59:59.9999999Z"`, "from 1601"},
		{"DateTime", `"1601-01-01T00:00:00+00:01"`, "from 1601"},
		{"ByteString[]", `["AA==","A"]`, "element 1"},
		{"Guid", `"72962b91fa754ae68d28b404dc7daf63"`, "a text such as"},
		{"Guid", `"{72962b91-fa75-4ae6-8d28-b404dc7daf63}"`, "a text such as"},
		{"Guid", `"72962b91-fa75-4ae6-8d28-b404dc7daf6g"`, "a text such as"},
		{"Guid", `"72962b91-fa75-4ae6-8d28-b404dc7-af63"`, "a text such as"},
		{"Guid", "null", "a string is expected"},
		{"ByteString", `"AA"`, "base64"},
		{"ByteString", `"AB=="`, "base64"},
		{"ByteString", `"AAH\n/"`, "base64"},
		{"ByteString", `"__=="`, "base64"},
		{"ByteString", "[0]", "a string is expected"},
		{"LocalizedText", "1", "a string is expected"},
		{"QualifiedName", "{}", "a string is expected"},
	} {
		t.Run(c.typ+" "+c.in, func(t *testing.T) {
			v, err := typeOf(t, c.typ).Parse([]byte(c.in))
			require.ErrorContains(t, err, c.says)
			require.Nil(t, v)
			require.Less(t, len(err.Error()), 200)
		})
	}
}
