package guard_test

import (
	"math"
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
// is on the list or refused.
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
		err := g.Request(write(t, 22, o))
		require.Error(t, err, n)
		if listed[uint32(n)] {
			require.NotContains(t, err.Error(), "which is not read here")
			continue
		}
		require.ErrorContains(t, err, "which is not read here")
		decoded := new(ua.ExtensionObject)
		_, _ = decoded.Decode(o)
		if decoded.Value != nil {
			known++
		}
	}
	require.Greater(t, known, 200, "the codec knows more than what is listed")
}

// TestTheCodecKnowsNoOtherNamespace: what the guard skips is what the codec skips.
func TestTheCodecKnowsNoOtherNamespace(t *testing.T) {
	for namespace := range uint16(4) {
		for n := range math.MaxUint16 + 1 {
			if namespace == 0 {
				continue
			}
			decoded := new(ua.ExtensionObject)
			_, err := decoded.Decode(parts(2, namespace, uint32(n), 1, int32(1), 0))
			require.NoError(t, err)
			require.Nil(t, decoded.Value)
		}
	}
}
