package guard_test

import (
	"bytes"
	"reflect"
	"runtime/metrics"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

// maxBody keeps single runs short.
const maxBody = 64 << 10

// FuzzRequest looks at bodies of any kind. What passes the codec decodes, within the memory
// that the package doc promises, without touching the bytes and with no structures but those on
// the list, and what it writes passes again.
func FuzzRequest(f *testing.F) {
	for _, v := range requests() {
		for seed := range uint64(3) {
			f.Add(encode(f, newGenerator(seed).request(v)))
		}
	}
	f.Add(write(f, matrix|3, int32(2), 1, 2, int32(2), int32(3), int32(1431655766)))
	f.Add(write(f, 22, operands(8)))
	g := guard.New(guard.Limits{})
	f.Fuzz(func(t *testing.T, body []byte) { requireSafe(t, g, body) })
}

// FuzzVariant writes a Variant of these bytes. Variants nest, and are where codecs break.
func FuzzVariant(f *testing.F) {
	for seed := range uint64(60) {
		b, err := newGenerator(seed).variant().Encode()
		require.NoError(f, err)
		f.Add(b)
	}
	for _, seed := range [][]byte{
		parts(matrix|3, int32(2), 1, 2, int32(2), int32(3), int32(1431655766)),
		parts(matrix|3, int32(-1), int32(2), int32(641), int32(6700417)),
		parts(matrix|3, int32(2), 1, 2, int32(3), int32(1), int32(2), int32(1)),
		parts(array|6, int32(-2)), parts(repeat(40, 24), 0), parts(22, operands(3)), parts(22, 1, 2, uint16(7), 1, int32(1), 9),
		parts(22, 0x81, 0, uint16(340), int32(1), "x", 1, int32(1), 1), // a number with a URI is a number to the codec
		parts(array|15, int32(2), int32(1), 9, int32(2), 8, 8),
	} {
		f.Add(seed)
	}
	g := guard.New(guard.Limits{})
	f.Fuzz(func(t *testing.T, variant []byte) { requireSafe(t, g, write(t, variant)) })
}

func requireSafe(t *testing.T, g *guard.Guard, body []byte) {
	if len(body) > maxBody {
		return
	}
	if g.Request(body) != nil {
		refused(t, g, body)
		return
	}
	before, copied := allocatedSoFar(), bytes.Clone(body)
	_, request, err := ua.DecodeService(body)
	after := allocatedSoFar()
	require.NoError(t, err)
	require.Equal(t, copied, body)
	require.LessOrEqual(t, int(after-before), mayAllocate(len(body)))
	requireListed(t, reflect.ValueOf(request))
	if again, ok := reencode(request); ok && len(again) == len(body) {
		require.NoError(t, g.Request(again))
	}
}

var (
	objectType  = reflect.TypeFor[*ua.ExtensionObject]()
	variantType = reflect.TypeFor[*ua.Variant]()
	listedTypes = func() (types []reflect.Type) {
		for _, v := range structures() {
			types = append(types, reflect.TypeOf(v))
		}
		return types
	}()
)

// requireListed looks for ExtensionObjects with structures that are on no list.
func requireListed(t *testing.T, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
	case v.Type() == variantType:
		if value := v.Interface().(*ua.Variant).Value(); value != nil {
			requireListed(t, reflect.ValueOf(value))
		}
	case v.Type() == objectType:
		if value := v.Interface().(*ua.ExtensionObject).Value; value != nil {
			require.Contains(t, listedTypes, reflect.TypeOf(value))
			requireListed(t, reflect.ValueOf(value))
		}
	case v.Kind() == reflect.Pointer:
		requireListed(t, v.Elem())
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				requireListed(t, v.Field(i))
			}
		}
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() >= reflect.Interface: // not of numbers
		for i := range v.Len() {
			requireListed(t, v.Index(i))
		}
	}
}

// reencode writes a request. The codec panics at ExtensionObjects whose body it has skipped, and
// leaves out the elements of arrays of ByteStrings: then the length is another one.
func reencode(request any) (body []byte, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	b := ua.NewBuffer(nil)
	b.WriteStruct(ua.NewFourByteExpandedNodeID(0, ua.ServiceTypeID(request)))
	b.WriteStruct(request)
	return b.Bytes(), b.Error() == nil
}

// allocatedSoFar is how many bytes the process has ever allocated, without stopping it.
func allocatedSoFar() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
