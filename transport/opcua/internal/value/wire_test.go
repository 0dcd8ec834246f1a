package value_test

import (
	"math"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// Where the codec writes rightly, it writes the same.
func TestAppendBinaryAsTheCodec(t *testing.T) {
	nan := math.Float64frombits(0x7ff8000000000123)
	others := []any{
		nil, "", "text", -2.5, nan, float32(nan), []float64{nan, 1}, []float32{float32(nan)}, []byte(nil), []byte{},
		[]int32(nil), []int32{}, ua.ByteArray(nil), []string{"a", ""}, time.Time{}, time.Unix(1, 150),
		[]time.Time{{}, time.Unix(1, 0)}, [][]int32{{1, 2}, {3, 4}}, ua.NewNumericNodeID(1, 2), ua.StatusBadTimeout,
		ua.XMLElement("<a/>"), []*ua.Variant{ua.MustVariant(int32(1))}, ua.NewExtensionObject(nil), false,
	}
	var all []*ua.Variant
	for _, v := range others {
		all = append(all, ua.MustVariant(v))
	}
	for name, v := range samples() {
		if name != "ByteString[]" {
			all = append(all, v)
		}
	}
	for _, v := range all {
		want, err := v.Encode()
		require.NoError(t, err)
		got, err := value.AppendBinary([]byte("before"), v)
		require.NoError(t, err)
		require.Equal(t, append([]byte("before"), want...), got, "%T %v", v.Value(), v.Value())
	}
	got, err := value.AppendBinary(nil, nil)
	require.NoError(t, err)
	require.Equal(t, []byte{0}, got)
}

func TestAppendBinaryOfByteStrings(t *testing.T) {
	v, err := typeOf(t, "ByteString[]").Parse([]byte(`["AQ==","","AQI="]`))
	require.NoError(t, err)
	b, err := value.AppendBinary(nil, v)
	require.NoError(t, err)
	null := []byte{255, 255, 255, 255}
	want := append([]byte{0x8f, 3, 0, 0, 0, 1, 0, 0, 0, 1}, null...)
	require.Equal(t, append(want, 2, 0, 0, 0, 1, 2), b)
}

// One dimension that is stated needs no stating.
func TestAppendBinaryOfOneDimension(t *testing.T) {
	v := new(ua.Variant)
	_, err := v.Decode([]byte{0xc6, 1, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0})
	require.NoError(t, err)
	require.True(t, typeOf(t, "Int32[]").Accepts(v))
	b, err := value.AppendBinary(nil, v)
	require.NoError(t, err)
	require.Equal(t, []byte{0x86, 1, 0, 0, 0, 7, 0, 0, 0}, b)
}

func TestAppendTime(t *testing.T) {
	for _, c := range []struct {
		at   time.Time
		want uint64
	}{
		{time.Time{}, 0},
		{time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		{time.Date(1601, 1, 1, 0, 0, 0, 199, time.UTC), 1},
		{time.Unix(0, 0), 116444736000000000},
		{time.Date(9999, 12, 31, 23, 59, 58, 999999900, time.UTC), 2650467743989999999},
		{time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), math.MaxInt64},
		{time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC), math.MaxInt64},
	} {
		b := value.AppendTime(nil, c.at)
		require.Len(t, b, 8)
		got := uint64(0)
		for i := range b {
			got |= uint64(b[i]) << (8 * i)
		}
		require.Equal(t, c.want, got, "%v", c.at)
	}
}
