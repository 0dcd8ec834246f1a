package guard_test

import (
	"flag"
	"runtime"
	"sort"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

// What the package doc promises, in bytes for a body of so many.
func mayKeep(body int) int     { return 1<<20 + 16*body }
func mayAllocate(body int) int { return 4<<20 + 128*body }

var longest = flag.Int("longest", 64<<10, "bytes of the bodies of which TestMemory makes the worst")

// TestMemory makes, of each construct that is small on the wire and large in memory, as much as
// the guard lets through, and measures what decoding it keeps and allocates.
func TestMemory(t *testing.T) {
	g := guard.New(guard.Limits{})
	for name, construct := range constructs(t) {
		t.Run(name, func(t *testing.T) {
			n := sort.Search(*longest, func(n int) bool {
				body := construct(n + 1)
				return len(body) > *longest || g.Request(body) != nil
			})
			require.Positive(t, n)
			body := construct(n)
			require.NoError(t, g.Request(body))
			kept, allocated := measure(t, body)
			t.Logf("%d bytes: keeps %d (%.1f ×), allocates %d (%.1f ×)", len(body),
				kept, float64(kept)/float64(len(body)), allocated, float64(allocated)/float64(len(body)))
			require.LessOrEqual(t, kept, mayKeep(len(body)))
			require.LessOrEqual(t, allocated, mayAllocate(len(body)))
		})
	}
}

// measure decodes a body.
func measure(t testing.TB, body []byte) (kept, allocated int) {
	t.Helper()
	var before, during, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, request, err := ua.DecodeService(body)
	runtime.ReadMemStats(&during)
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	runtime.KeepAlive(request)
	runtime.KeepAlive(body)
	return int(after.HeapAlloc) - int(before.HeapAlloc), int(during.TotalAlloc - before.TotalAlloc)
}

// constructs make requests with n of something.
func constructs(t *testing.T) map[string]func(n int) []byte {
	// several arrays where one may not have so many elements
	const most = 65_535
	arrays := func(n int, each func(n int) []byte) []byte {
		all := parts(int32((n + most - 1) / most))
		for ; n > 0; n -= most {
			all = append(all, each(min(n, most))...)
		}
		return all
	}
	argument := func(values ...any) func(int) []byte {
		return func(n int) []byte {
			return rawRequest(t, new(ua.CallRequest), arrays(n, func(n int) []byte {
				return parts(0, 0, 0, 0, int32(n), repeat(n, values...))
			}))
		}
	}
	element := func(kind int, values ...any) func(int) []byte {
		return func(n int) []byte {
			return rawRequest(t, new(ua.CallRequest), int32(1), 0, 0, 0, 0, arrays(n, func(n int) []byte {
				return parts(array|kind, int32(n), repeat(n, values...))
			}))
		}
	}
	items := func(v any, before int, values ...any) func(int) []byte {
		return func(n int) []byte {
			return rawRequest(t, v, repeat(before, 0), int32(n), repeat(n, values...))
		}
	}
	path := parts(0, 0, 0, 0, uint16(0), int32(-1))
	return map[string]func(n int) []byte{
		"null arguments":           argument(0),
		"Boolean arguments":        argument(1, 1),
		"Double arguments":         argument(11, repeat(8, 0)),
		"String arguments":         argument(12, int32(1), "x"),
		"null String arguments":    argument(12, int32(-1)),
		"empty arrays":             argument(array|12, int32(0)),
		"arrays of one":            argument(array|11, int32(1), repeat(8, 0)),
		"matrices of one":          argument(matrix|3, int32(1), 1, int32(2), int32(1), int32(1)),
		"matrices of one, deep":    argument(matrix|3, int32(1), 1, int32(16), repeat(16, int32(1))),
		"Variants in Variants":     argument(repeat(13, 24), 0),
		"DataValues in Variants":   argument(repeat(7, 23, 1), 0),
		"Variants":                 element(24, 0),
		"DataValues":               element(23, 0),
		"DiagnosticInfos":          element(25, 0),
		"DiagnosticInfos, deep":    element(25, repeat(10, 0x40), 0),
		"LocalizedTexts":           element(21, 0),
		"QualifiedNames":           element(20, uint16(0), int32(-1)),
		"null ExtensionObjects":    element(22, 0, 0, 0),
		"AdditionalParameters":     element(22, object(id.AdditionalParametersType_Encoding_DefaultBinary, int32(3), repeat(3, uint16(0), int32(-1), 0))),
		"structures of five bytes": element(22, object(id.EventFilter_Encoding_DefaultBinary, int32(-1), int32(-1))),
		"ExpandedNodeIds":          element(18, 0, 0),
		"NodeIds":                  element(17, 0, 0),
		"GUIDs":                    element(14, repeat(16, 0)),
		"Bytes":                    element(3, 0),
		"DateTimes":                element(13, repeat(8, 0)),
		"Doubles":                  element(11, repeat(8, 0)),
		"Strings":                  element(12, int32(1), "x"),
		"null Strings":             element(12, int32(-1)),
		"ByteStrings":              element(15, int32(-1)),
		"NodeIds to register":      items(new(ua.RegisterNodesRequest), 0, 0, 0),
		"methods":                  items(new(ua.CallRequest), 0, 0, 0, 0, 0, int32(-1)),
		"values to write":          items(new(ua.WriteRequest), 0, 0, 0, uint32(13), int32(-1), 0),
		"nodes to read":            items(new(ua.ReadRequest), 12, 0, 0, uint32(13), int32(-1), uint16(0), int32(-1)),
		"nodes to browse":          items(new(ua.BrowseRequest), 18, 0, 0, uint32(0), 0, 0, 0, uint32(0), uint32(0)),
		"acknowledgements":         items(new(ua.PublishRequest), 0, repeat(8, 0)),
		"items to delete":          items(new(ua.DeleteMonitoredItemsRequest), 4, uint32(0)),
		"locales": func(n int) []byte {
			return rawRequest(t, new(ua.GetEndpointsRequest), int32(-1), int32(n), repeat(n, int32(-1)), int32(-1))
		},
		"paths": items(new(ua.TranslateBrowsePathsToNodeIDsRequest), 0, 0, 0, int32(-1)),
		"elements of paths": func(n int) []byte {
			return rawRequest(t, new(ua.TranslateBrowsePathsToNodeIDsRequest), arrays(n, func(n int) []byte {
				return parts(0, 0, int32(n), repeat(n, path))
			}))
		},
		"items to create": items(new(ua.CreateMonitoredItemsRequest), 8, 0, 0, uint32(13), int32(-1), uint16(0), int32(-1), uint32(0), uint32(0), repeat(8, 0), 0, 0, 0, uint32(0), 0),
		"clauses of filters": func(n int) []byte {
			filter := object(id.EventFilter_Encoding_DefaultBinary, int32(n), repeat(n, 0, 0, int32(1), uint16(0), int32(-1), uint32(13), int32(-1)), int32(-1))
			return write(t, 22, filter)
		},
		"rows of 2": func(n int) []byte {
			return write(t, matrix|3, int32(2*n), repeat(2*n, 0), int32(2), int32(n), int32(2))
		},
		"rows of 1, deep": func(n int) []byte {
			return write(t, matrix|3, int32(n), repeat(n, 0), int32(16), int32(n), repeat(15, int32(1)))
		},
		"rows of 1, last": func(n int) []byte {
			return write(t, matrix|3, int32(n), repeat(n, 0), int32(2), int32(n), int32(1))
		},
	}
}
