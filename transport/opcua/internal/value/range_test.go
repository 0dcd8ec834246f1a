package value_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

const (
	fine     = ua.StatusCode(0)
	invalid  = ua.StatusCode(0x80360000) // BadIndexRangeInvalid
	noData   = ua.StatusCode(0x80370000) // BadIndexRangeNoData
	mismatch = ua.StatusCode(0x80EA0000) // BadIndexRangeDataMismatch
	wrong    = ua.StatusCode(0x80740000) // BadTypeMismatch
)

func TestParseRange(t *testing.T) {
	for text, want := range map[string]value.Range{
		"":             {},
		"0":            {Set: true},
		"6":            {Low: 6, High: 6, Set: true},
		"5:7":          {Low: 5, High: 7, Set: true},
		"0:2147483647": {Low: 0, High: 1<<31 - 1, Set: true},
	} {
		r, status := value.ParseRange(text)
		require.Equal(t, fine, status, text)
		require.Equal(t, want, value.Range{Low: r.Low, High: r.High, Set: r.Set}, text)
	}
	for _, text := range []string{
		"7:5", "5:5", "-1", "-1:2", "1:-2", "1:", ":1", ":", "1:2:3", " 1", "1 ", "1: 2", "+1", "a", "1,", ",1", ",",
		"1,2:1", "2147483648", "99999999999999999999", "0:99999999999999999999", "1.0", "0x1", "１",
	} {
		r, status := value.ParseRange(text)
		require.Equal(t, invalid, status, text)
		require.Zero(t, r)
	}
}

func TestRangeRead(t *testing.T) {
	ints := []int32{10, 11, 12, 13}
	for _, c := range []struct {
		v      any
		text   string
		want   any
		status ua.StatusCode
	}{
		{ints, "", ints, fine},
		{ints, "0", []int32{10}, fine},
		{ints, "1:2", []int32{11, 12}, fine},
		{ints, "2:9", []int32{12, 13}, fine},
		{ints, "3:2147483647", []int32{13}, fine},
		{ints, "4", nil, noData},
		{ints, "4:5", nil, noData},
		{ints, "0,1", nil, noData},
		{[]int32{}, "0", nil, noData},
		{[]int32(nil), "0", nil, noData},
		{[][]int32{{1}}, "0", nil, noData},
		{[][]byte{{1}, {2}}, "1", [][]byte{{2}}, fine},
		{[][]byte{{1}, {2}}, "0:1,0", [][]byte{{1}, {2}}, fine},
		{[][]byte{{1}, {2}}, "0,1", [][]byte{nil}, fine},
		{[][]byte{{1}}, "0,0,0", nil, noData},
		{int32(1), "0", nil, noData},
		{nil, "0", nil, noData},
		{ua.ByteArray{1, 2, 3}, "1:2", ua.ByteArray{2, 3}, fine},
		{[]byte{1, 2, 3}, "1", []byte{2}, fine},
		{[]byte(nil), "0", nil, noData},
		{"grün", "2:3", "ün", fine},
		{"grün", "3:9", "n", fine},
		{"grün", "4", nil, noData},
		{"", "0", nil, noData},
		{[]string{"a", "b"}, "1", []string{"b"}, fine},
		{[]string{"a", "b"}, "1,0", []string{"b"}, fine},
		{[]string{"TestString", "Test", "grün"}, "0:2,2:7", []string{"stStri", "st", "ün"}, fine},
		{[]string{"TestString", "Test", ""}, "0:9,7:9", []string{"ing", "", ""}, fine},
		{[]string{"a", "b"}, "2,0", nil, noData},
		{[]string{"a", "b"}, "0,0,0", nil, noData},
		{[]int32{1}, "0,0", nil, noData},
		{"abc", "0,0", nil, noData},
		{ua.NewLocalizedText("abc"), "0", nil, noData},
	} {
		r, status := value.ParseRange(c.text)
		require.Equal(t, fine, status)
		got, status := r.Read(ua.MustVariant(c.v))
		require.Equal(t, c.status, status, "%v of %v", c.text, c.v)
		if status == fine {
			require.Equal(t, ua.MustVariant(c.want), got)
		} else {
			require.Nil(t, got)
		}
	}
	r, _ := value.ParseRange("0")
	_, status := r.Read(nil)
	require.Equal(t, noData, status)
}

func TestRangeWrite(t *testing.T) {
	for _, c := range []struct {
		old    any
		text   string
		part   any
		want   any
		status ua.StatusCode
	}{
		{[]int32{1, 2, 3}, "", []int32{9}, []int32{9}, fine},
		{[]int32{1, 2, 3}, "1", []int32{9}, []int32{1, 9, 3}, fine},
		{[]int32{1, 2, 3}, "1:2", []int32{8, 9}, []int32{1, 8, 9}, fine},
		{[]int32{1, 2, 3}, "0:2", []int32{7, 8, 9}, []int32{7, 8, 9}, fine},
		{[]int32{1, 2, 3}, "3", []int32{9}, nil, noData},
		{[]int32{1, 2, 3}, "2:3", []int32{8, 9}, nil, noData},
		{[]int32{1, 2, 3}, "0:2147483647", []int32{9}, nil, noData},
		{[]int32{1, 2, 3}, "0,0", []int32{9}, nil, noData},
		{[]int32{1, 2, 3}, "0:1", []int32{9}, nil, mismatch},
		{[]int32{1, 2, 3}, "0", []int32{8, 9}, nil, mismatch},
		{[]int32{1, 2, 3}, "0", []int32{}, nil, mismatch},
		{[]int32{1, 2, 3}, "0", int32(9), nil, wrong},
		{[]int32{1, 2, 3}, "0", []int64{9}, nil, wrong},
		{[]int32{1, 2, 3}, "0", [][]int32{{9}}, nil, wrong},
		{[]int32{1, 2, 3}, "0", nil, nil, wrong},
		{int32(1), "0", int32(9), nil, noData},
		{nil, "0", []int32{9}, nil, noData},
		{ua.ByteArray{1, 2}, "1", ua.ByteArray{9}, ua.ByteArray{1, 9}, fine},
		{ua.ByteArray{1, 2}, "1", []byte{9}, nil, wrong},
		{[]byte{1, 2}, "1", []byte{9}, []byte{1, 9}, fine},
		{[]byte{1, 2}, "1", ua.ByteArray{9}, nil, wrong},
		{[][]byte{{1}, {2}}, "1", [][]byte{{9}}, [][]byte{{1}, {9}}, fine},
		{[][]byte{{1}, {2}}, "1", []byte{9}, nil, wrong},
		{"grün", "2", "u", "grun", fine},
		{"grün", "0:3", "blau", "blau", fine},
		{"grün", "2", "ue", nil, mismatch},
		{"grün", "2", []string{"u"}, nil, wrong},
		{[]string{"a"}, "0", "b", nil, wrong},
		{"abc", "0", []int32{98}, nil, wrong},
		{[]int32{97}, "0", "b", nil, wrong},
		{[]string{"a"}, "0,0", []string{"b"}, nil, noData},
	} {
		r, status := value.ParseRange(c.text)
		require.Equal(t, fine, status)
		old := ua.MustVariant(c.old)
		got, status := r.Write(old, ua.MustVariant(c.part))
		require.Equal(t, c.status, status, "%v at %q of %v", c.part, c.text, c.old)
		require.Equal(t, ua.MustVariant(c.old), old, "old is not changed")
		if status == fine {
			require.Equal(t, ua.MustVariant(c.want), got)
		} else {
			require.Nil(t, got)
		}
	}
	r, _ := value.ParseRange("0")
	_, status := r.Write(nil, ua.MustVariant([]int32{1}))
	require.Equal(t, noData, status)
}

// A part of a long text shares its bytes: many items may look at parts of one value.
func TestPartsOfTextsAreNotCopied(t *testing.T) {
	v := ua.MustVariant(strings.Repeat("x", 1<<20))
	part, status := value.ParseRange("1:1000000")
	require.Equal(t, ua.StatusOK, status)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		got, status := part.Read(v)
		require.Equal(t, ua.StatusOK, status)
		require.Equal(t, 1_000_000, len(got.Value().(string)))
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}
