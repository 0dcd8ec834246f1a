package value_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

var scalars = []struct{ typ, text string }{
	{"Boolean", "true"},
	{"SByte", "-12"},
	{"Byte", "200"},
	{"Int16", "-1234"},
	{"UInt16", "1234"},
	{"Int32", "-123456"},
	{"UInt32", "123456"},
	{"Int64", `"-1234567890123"`},
	{"UInt64", `"1234567890123"`},
	{"Float", "1.5"},
	{"Double", "2.718281828"},
	{"String", `"order 4711"`},
	{"DateTime", `"2026-11-24T15:04:05.5Z"`},
	{"Guid", `"72962b91-fa75-4ae6-8d28-b404dc7daf63"`},
	{"ByteString", `"AAECAwQ="`},
	{"LocalizedText", `"order 4711"`},
	{"QualifiedName", `"order"`},
}

func TestAppendJSONOfScalarsDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, 256)
	for _, c := range scalars {
		v, err := typeOf(t, c.typ).Parse([]byte(c.text))
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(100, func() {
			dst, _ = value.AppendJSON(dst[:0], v)
		}), c.typ)
		require.Equal(t, c.text, string(dst))
	}
}

// A number costs the variant, and the box for the value in it.
func TestParseOfNumbersAllocatesTheVariant(t *testing.T) {
	for _, c := range scalars[:11] {
		typ, text := typeOf(t, c.typ), []byte(c.text)
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() {
			_, _ = typ.Parse(text)
		}), 2.0, c.typ)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, c := range append(scalars, struct{ typ, text string }{"Double[]", "[1.5,2.5,3.5,4.5,5.5,6.5,7.5,8.5,9.5,10.5]"}) {
		b.Run(c.typ, func(b *testing.B) {
			typ, text := typeOf(b, c.typ), []byte(c.text)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := typ.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	for _, c := range append(scalars, struct{ typ, text string }{"Double[]", "[1.5,2.5,3.5,4.5,5.5,6.5,7.5,8.5,9.5,10.5]"}) {
		b.Run(c.typ, func(b *testing.B) {
			v, err := typeOf(b, c.typ).Parse([]byte(c.text))
			require.NoError(b, err)
			dst := make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = value.AppendJSON(dst[:0], v)
			}
		})
	}
}
