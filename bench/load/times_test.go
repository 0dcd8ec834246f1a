package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Percentiles are those of the sorted times (nearest rank), to three digits, over nine powers of ten;
// and so they are when they were recorded in several groups.
func TestPercentiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 99, 100, 101, 1000, 30_000} {
		groups := []times{newTimes(), newTimes(), newTimes()}
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = time.Duration(math.Pow(10, 3.1+9.5*random.Float64()))
			groups[i%len(groups)].put(all[i])
		}
		slices.Sort(all)
		sum := newTimes()
		for _, g := range groups {
			sum.merge(g)
		}
		for _, percentile := range []float64{50, 75, 90, 99, 99.9, 100} {
			want := all[max(1, int(math.Ceil(float64(n)*percentile/100-1e-9)))-1]
			assert.InEpsilon(t, float64(want), float64(sum.at(percentile)), 2e-3, "p%v of %d", percentile, n)
		}
		assert.Equal(t, millis(all[n-1]), sum.latency().Max)
	}
}
