package guard_test

import (
	"math"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

// TestOnlyTheListedServices tries every number.
func TestOnlyTheListedServices(t *testing.T) {
	g := guard.New(guard.Limits{})
	listed := make(map[uint16]bool)
	for _, v := range requests() {
		listed[ua.ServiceTypeID(v)] = true
	}
	require.Len(t, listed, 27)
	for n := range math.MaxUint16 + 1 {
		r := refused(t, g, parts(1, 0, uint16(n)))
		require.Equal(t, listed[uint16(n)], r.Status != ua.StatusBadServiceUnsupported, n)
	}
}

// TestOnlyTheListedStructures tries every number: what the codec would read in an ExtensionObject
// is on the list or refused, what it would skip passes.
func TestOnlyTheListedStructures(t *testing.T) {
	g := guard.New(guard.Limits{})
	listed := make(map[uint32]bool)
	for _, v := range structures() {
		listed[ua.ExtensionObjectTypeID(v).NodeID.IntID()] = true
	}
	require.Len(t, listed, len(structures()))
	known := 0
	for n := range math.MaxUint16 + 1 {
		o := object(uint16(n), repeat(100, 0xff))
		decoded := new(ua.ExtensionObject)
		_, _ = decoded.Decode(o)
		if err := g.Request(write(t, 22, o)); decoded.Value == nil {
			require.NoError(t, err, n)
		} else {
			known++
			require.Equal(t, listed[uint32(n)], !strings.Contains(err.Error(), "structure that is not read here"), n)
		}
	}
	require.Greater(t, known, 200, "the codec knows more than what is listed")
}

// TestTheCodecIsAsked: structures of other namespaces are refused as soon as the codec knows
// them. What is registered here stays so in this test binary; nobody else uses the id.
func TestTheCodecIsAsked(t *testing.T) {
	g := guard.New(guard.Limits{})
	body := write(t, 22, parts(3, uint16(9), int32(5), "guard", 1, int32(1), 1))
	require.NoError(t, g.Request(body))
	ua.RegisterExtensionObject(ua.NewStringNodeID(9, "guard"), new(struct{ Field []*ua.Variant }))
	require.Contains(t, refused(t, g, body).Reason, "not a number in namespace 0")
}
