package value_test

import (
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

func TestBadStatus(t *testing.T) {
	for _, c := range []struct {
		code int64
		name string
		want ua.StatusCode
	}{
		{0x800A0000, "", ua.StatusBadTimeout},
		{0x800A0000 - 1<<32, "", ua.StatusBadTimeout},
		{-0x80000000, "", ua.StatusBad},
		{0x80EA0000, "", value.BadIndexRangeDataMismatch},
		{0x8FFF0000, "", 0x8FFF0000},
		{0, "BadTimeout", ua.StatusBadTimeout},
		{0, "Bad_Timeout", ua.StatusBadTimeout},
		{0, "StatusBadTimeout", ua.StatusBadTimeout},
		{0, "badtimeout", ua.StatusBadTimeout},
		{0, "BadNodeIdUnknown", ua.StatusBadNodeIDUnknown},
		{0, "BadIndexRangeDataMismatch", value.BadIndexRangeDataMismatch},
		{0, "Bad", ua.StatusBad},
		{500, "BadTimeout", ua.StatusBadTimeout},
	} {
		status, ok := value.BadStatus(c.code, c.name)
		require.True(t, ok, "%d %q", c.code, c.name)
		require.Equal(t, c.want, status)
	}
	for _, c := range []struct {
		code int64
		name string
	}{
		{0, ""}, {500, ""}, {-1, ""}, {0x40000000, ""}, {0xC0000000, ""}, {0x800A0001, ""}, {0x900A0000, ""},
		{1<<32 + 0x800A0000, ""}, {-1<<31 - 1, ""}, {1 << 62, ""}, {-1 << 62, ""},
		{0, "Timeout"}, {0, "Good"}, {0, "UncertainInitialValue"}, {0, "BadWeather"}, {0, " "},
		{0x800A0000, "nonsense"},
	} {
		status, ok := value.BadStatus(c.code, c.name)
		require.False(t, ok, "%d %q", c.code, c.name)
		require.Zero(t, status)
	}
}
