package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/schedule"
)

var options = schedule.Options{
	Kinds: []schedule.Kind{
		{Name: "kill", Target: "broker", Shortest: 100 * time.Millisecond, Longest: 300 * time.Millisecond},
		{Name: "stop", Target: "broker", Shortest: 200 * time.Millisecond, Longest: 200 * time.Millisecond},
		{Name: "drop", Target: "tap", Shortest: time.Millisecond, Longest: time.Second},
		{Name: "full", Target: "disk", Alone: true, Shortest: time.Second, Longest: time.Second},
	},
	Faults: 200, Quiet: 400 * time.Millisecond, Overlaps: 30,
}

// The text is what any machine must make of the seed.
func TestSameSeed(t *testing.T) {
	a, err := schedule.New(7, options)
	require.NoError(t, err)
	b, err := schedule.New(7, options)
	require.NoError(t, err)
	require.Equal(t, a, b)
	require.Equal(t, "4d6a7b83a06c", a.Hash())
	c, err := schedule.New(8, options)
	require.NoError(t, err)
	require.NotEqual(t, a.Hash(), c.Hash())
}

func TestWhatIsDealt(t *testing.T) {
	s, err := schedule.New(3, options)
	require.NoError(t, err)
	require.Len(t, s.Steps, 200)
	count := map[string]int{}
	until := map[string]time.Duration{}
	var last, end, alone time.Duration
	overlaps := 0
	for _, step := range s.Steps {
		count[step.Kind]++
		require.GreaterOrEqual(t, step.At, last)
		require.GreaterOrEqual(t, step.At, until[step.Target], "faults of one target do not overlap")
		if step.At < end {
			require.False(t, step.Alone)
			require.GreaterOrEqual(t, step.At, alone)
			overlaps++
		}
		if step.Alone {
			alone = step.At + step.For
		}
		last, until[step.Target], end = step.At, step.At+step.For, max(end, step.At+step.For)
	}
	require.Equal(t, map[string]int{"kill": 50, "stop": 50, "drop": 50, "full": 50}, count)
	require.Greater(t, overlaps, 10)
	require.Equal(t, end, s.Length())
}

func TestNoFaults(t *testing.T) {
	s, err := schedule.New(1, schedule.Options{})
	require.NoError(t, err)
	require.Zero(t, s.Length())
	_, err = schedule.New(1, schedule.Options{Faults: 1})
	require.ErrorContains(t, err, "no kind of fault")
}
