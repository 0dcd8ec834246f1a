package idempotency

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIndexShrinks: what remains is found, and a map of before is not kept for it.
func TestIndexShrinks(t *testing.T) {
	x := newIndex[int]()
	const peak = 4 * fewEntries
	entries := make([]entry, peak)
	for i := range entries {
		x.put(i, &entries[i])
	}
	x.put(0, &entries[0])
	for i := range peak - peak/4 {
		require.Equal(t, peak, x.most, "it is made anew too early")
		x.remove(i)
	}
	require.Equal(t, peak/4, x.most)
	require.Len(t, x.of, peak/4)
	for i := peak - peak/4; i < peak; i++ {
		require.Same(t, &entries[i], x.of[i])
		x.remove(i)
	}
	require.Empty(t, x.of)
	require.Equal(t, peak/4, x.most, "so few are not worth it")
}
