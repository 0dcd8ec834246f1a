package value

import (
	"math"
	"strings"
	"sync"

	"github.com/gopcua/opcua/ua"
)

// BadIndexRangeDataMismatch is missing in the codec's constants.
const BadIndexRangeDataMismatch ua.StatusCode = 0x80EA0000

// BadStatus reads a status code as responders and files give it: a number, also in its negative
// 32-bit form, or, if name is not empty, a name such as "BadTimeout", "Bad_Timeout" or
// "StatusBadTimeout", without regard to case. ok is false unless it is a code of severity Bad
// without information bits (OPC 10000-4, 7.39). A number need not be one that is known here:
// newer versions of the specification have more.
func BadStatus(code int64, name string) (status ua.StatusCode, ok bool) {
	if name != "" {
		status, ok = badNames()[plainName(name)]
		return status, ok
	}
	if code < math.MinInt32 || code > math.MaxUint32 {
		return 0, false
	}
	// Severity in the top two bits, two reserved ones, the code, and 16 bits of information.
	status = ua.StatusCode(uint32(code))
	if status&0xF000FFFF != ua.StatusBad {
		return 0, false
	}
	return status, true
}

// badNames finds the Bad codes by their plain names. It is made when it is first used.
var badNames = sync.OnceValue(func() map[string]ua.StatusCode {
	m := make(map[string]ua.StatusCode, len(ua.StatusCodes))
	m["badindexrangedatamismatch"] = BadIndexRangeDataMismatch
	for code, description := range ua.StatusCodes {
		if code&0xC0000000 == ua.StatusBad {
			m[plainName(description.Name)] = code
		}
	}
	return m
})

// plainName leaves of "StatusBadNodeIDUnknown" and "Bad_NodeIdUnknown" the same.
func plainName(name string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "")
	return strings.TrimPrefix(name, "status")
}
