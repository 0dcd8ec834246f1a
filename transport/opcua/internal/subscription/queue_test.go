package subscription

import (
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
)

// fill pushes 1 … n.
func fill(q *queue, n int) {
	for i := range n {
		q.push(sample{value: &ua.DataValue{Status: ua.StatusCode(i + 1)}})
	}
}

// drain gives the numbers; those with the overflow bit are negative.
func drain(q *queue) []int {
	var out []int
	for q.len > 0 {
		s := q.pop()
		n := int(s.value.Status)
		if s.overflow {
			n = -n
		}
		out = append(out, n)
	}
	return out
}

func TestQueueLosesOnlyWhatItMustAndSaysSo(t *testing.T) {
	tests := map[string]struct {
		size          int
		discardOldest bool
		pushed        int
		want          []int
	}{
		"room for all":             {5, true, 5, []int{1, 2, 3, 4, 5}},
		"oldest lost":              {3, true, 4, []int{-2, 3, 4}},
		"many oldest lost":         {3, true, 9, []int{-7, 8, 9}},
		"newest replaced":          {3, false, 4, []int{1, 2, -4}},
		"many newest replaced":     {3, false, 9, []int{1, 2, -9}},
		"one holds the newest":     {1, true, 9, []int{9}},
		"one holds the newest too": {1, false, 9, []int{9}},
		"two":                      {2, false, 3, []int{1, -3}},
		"empty":                    {3, true, 0, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var q queue
			q.resize(test.size, test.discardOldest)
			for range 3 { // also when the ring does not begin at 0
				fill(&q, test.pushed)
				assert.Equal(t, test.want, drain(&q))
			}
			assert.LessOrEqual(t, len(q.ring), test.size)
		})
	}
}

func TestQueueIsResized(t *testing.T) {
	tests := map[string]struct {
		size          int
		discardOldest bool
		want          []int
	}{
		"larger":          {9, true, []int{1, 2, 3, 4, 5, 6}},
		"same":            {6, true, []int{1, 2, 3, 4, 5, 6}},
		"oldest lost":     {4, true, []int{-3, 4, 5, 6}},
		"newest replaced": {4, false, []int{1, 2, 3, -6}},
		"to one":          {1, true, []int{6}},
		"to one too":      {1, false, []int{6}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var q queue
			q.resize(6, true)
			fill(&q, 4)
			drain(&q) // the ring begins in the middle
			fill(&q, 6)
			q.resize(test.size, test.discardOldest)
			assert.LessOrEqual(t, len(q.ring), test.size)
			assert.Equal(t, test.want, drain(&q))
		})
	}
}

func TestQueueOfOneForgetsAnOverflow(t *testing.T) {
	var q queue
	q.resize(2, true)
	fill(&q, 3)
	q.resize(1, true)
	assert.Equal(t, []int{3}, drain(&q))
}

func TestClearedQueueTakesAgain(t *testing.T) {
	var q queue
	q.resize(2, true)
	fill(&q, 3)
	q.clear()
	assert.Zero(t, q.len)
	fill(&q, 1)
	assert.Equal(t, []int{1}, drain(&q))
}
