package http

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAffordable(t *testing.T) {
	for descriptors, want := range map[uint64]int{
		math.MaxUint64: 1 << 17, 1 << 20: 1 << 17, 1<<17 + 64: 1 << 17, 1024: 960, 100: 50, 64: 32, 0: 1,
	} {
		require.Equal(t, want, affordable(descriptors), "%d", descriptors)
	}
}
