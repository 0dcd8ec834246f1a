package mqtt

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// FuzzTimeLeft: a request that is told later how much time is left is, byte for byte, the one that
// would have been encoded then, whatever its sizes, in place or further to the front. Times are in µs.
func FuzzTimeLeft(f *testing.F) {
	f.Add("plant/a", uint32(20), uint16(3), byte(1), int64(2_000_000), int64(1_000_001), uint16(0))
	f.Add("a", uint32(0), uint16(0), byte(0), int64(1000), int64(-5), uint16(7))
	f.Add("a", uint32(16_300), uint16(10), byte(2), int64(3_600_000_000), int64(999_999), uint16(1))
	f.Add(strings.Repeat("t", 100), uint32(2_097_000), uint16(900), byte(1), int64(10_000), int64(9_999), uint16(1000))
	nodes := map[byte]core.Request{}
	for qos := range byte(3) {
		nodes[qos] = newRequest(f, core.NodeOptions{Topic: "a", QoS: qos}, core.Call{})
	}
	f.Fuzz(func(t *testing.T, topic string, size uint32, property uint16, qos byte, before, after int64, gap uint16) {
		if len(topic) > 1000 || after > before || before > int64(time.Hour/time.Microsecond) || after < -1e9 {
			return
		}
		r := nodes[qos%3]
		r.Value = bytes.Repeat([]byte("1"), int(size%3_000_000))
		r.Properties = []core.Property{{Name: "k", Value: strings.Repeat("v", int(property%1024))}}
		form := formOf(r.Node)
		form.topic = appendString(nil, topic)
		left := time.Duration(after) * time.Microsecond
		buf := appendRequestLeft(make([]byte, gap), &form, &r, time.Duration(before)*time.Microsecond)
		n := setTimeLeft(buf, buf[gap:], left)
		require.True(t, bytes.Equal(appendRequestLeft(nil, &form, &r, left), buf[:n]))
	})
}
