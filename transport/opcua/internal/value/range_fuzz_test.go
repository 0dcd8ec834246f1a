package value_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// FuzzRange parses a NumericRange as a regular expression does, and reads and writes parts of texts
// and arrays as a model does that counts one by one.
func FuzzRange(f *testing.F) {
	for _, text := range []string{"", "0", "1:2", "2:1", "1:1", "0:9999999999", "2147483647", "2147483648", "0,0", "0:1,1:2", "0,1,2", ":", "1:", ",", "01", "+1", "1:2:3", "0:4294967297"} {
		f.Add(text, "grün, 😀 and more", byte(3), byte(1))
		f.Add(text, "", byte(0), byte(0))
		f.Add(text, "a\xffb", byte(2), byte(5))
	}
	f.Fuzz(func(t *testing.T, text, content string, size, part byte) {
		if len(content) > 300 {
			return
		}
		low, high, ok := rangeModel(text)
		r, status := value.ParseRange(text)
		require.Equal(t, ok, status == ua.StatusOK, "%q", text)
		if !ok {
			require.Equal(t, ua.StatusBadIndexRangeInvalid, status)
			return
		}
		if len(low) == 0 { // the whole value
			v, status := r.Read(ua.MustVariant(content))
			require.Equal(t, ua.StatusOK, status)
			require.Equal(t, content, v.Value())
			return
		}
		numbers := make([]int32, size)
		texts := make([]string, size%7)
		for i := range numbers {
			numbers[i] = int32(i) * 3
		}
		for i := range texts {
			texts[i] = content[min(i, len(content)):]
		}
		requirePart(t, r, numbers, partModel(numbers, low[0], high[0]), len(low) == 1)
		if len(low) == 1 {
			requireText(t, r, content, low[0], high[0])
			requirePart(t, r, texts, partModel(texts, low[0], high[0]), true)
			requireWritten(t, r, numbers, int(part), low[0], high[0])
		} else if len(low) == 2 {
			var want []string
			for _, text := range partModel(texts, low[0], high[0]) {
				want = append(want, runesModel(text, low[1], high[1]))
			}
			requirePart(t, r, texts, want, true)
		}
	})
}

var ranges = regexp.MustCompile(`^[0-9]{1,10}(:[0-9]{1,10})?(,[0-9]{1,10}(:[0-9]{1,10})?)*$`)

// rangeModel gives the bounds of each dimension.
func rangeModel(text string) (low, high []int64, ok bool) {
	if text == "" {
		return nil, nil, true
	}
	if !ranges.MatchString(text) {
		return nil, nil, false
	}
	for dimension := range strings.SplitSeq(text, ",") {
		first, last, two := strings.Cut(dimension, ":")
		a, _ := strconv.ParseInt(first, 10, 64)
		b := a
		if two {
			if b, _ = strconv.ParseInt(last, 10, 64); a >= b {
				return nil, nil, false
			}
		}
		if b > 1<<31-1 {
			return nil, nil, false
		}
		low, high = append(low, a), append(high, b)
	}
	return low, high, true
}

func partModel[T any](all []T, low, high int64) (part []T) {
	for i, v := range all {
		if int64(i) >= low && int64(i) <= high {
			part = append(part, v)
		}
	}
	return part
}

// runesModel keeps bytes that are no UTF-8 as they are: each is a character.
func runesModel(text string, low, high int64) string {
	var part strings.Builder
	place := int64(-1)
	for i := range len(text) {
		if starts(text, i) {
			place++
		}
		if place >= low && place <= high {
			part.WriteByte(text[i])
		}
	}
	return part.String()
}

// starts says whether a character of text begins at byte i.
func starts(text string, i int) bool {
	for at := range text {
		if at == i {
			return true
		}
	}
	return false
}

func requirePart[T any](t *testing.T, r value.Range, all, want []T, possible bool) {
	v, status := r.Read(ua.MustVariant(all))
	if len(want) == 0 || !possible {
		require.Equal(t, ua.StatusBadIndexRangeNoData, status)
		require.Nil(t, v)
		return
	}
	require.Equal(t, ua.StatusOK, status)
	require.Equal(t, want, v.Value())
}

func requireText(t *testing.T, r value.Range, content string, low, high int64) {
	v, status := r.Read(ua.MustVariant(content))
	want := runesModel(content, low, high)
	require.Equal(t, want != "", status == ua.StatusOK)
	if want != "" {
		require.Equal(t, want, v.Value())
	}
}

func requireWritten(t *testing.T, r value.Range, all []int32, size int, low, high int64) {
	part := make([]int32, size)
	for i := range part {
		part[i] = -1 - int32(i)
	}
	v, status := r.Write(ua.MustVariant(all), ua.MustVariant(part))
	switch {
	case high >= int64(len(all)):
		require.Equal(t, ua.StatusBadIndexRangeNoData, status)
	case int64(size) != high-low+1:
		require.Equal(t, value.BadIndexRangeDataMismatch, status)
	default:
		require.Equal(t, ua.StatusOK, status)
		want := append([]int32(nil), all...)
		for i := range part {
			want[int(low)+i] = part[i]
		}
		require.Equal(t, want, v.Value())
	}
}
