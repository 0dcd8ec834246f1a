package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQueue(t *testing.T) {
	q := newQueue[int]()
	next, last := 0, 0
	pop := func() {
		got, ok := q.pop()
		require.True(t, ok)
		require.Equal(t, last, got)
		last++
	}
	for range 5 { // never empty, far from full: it keeps no more than what is in it
		for range 3000 {
			require.True(t, q.push(next, 1))
			next++
		}
		for range 2990 {
			pop()
		}
	}
	require.Less(t, cap(q.in)+cap(q.out), 16_000)
	for q.push(next, 1) {
		next++
	}
	require.Equal(t, queueItems, next-last)
	for last < next {
		pop()
	}
	require.True(t, q.push(next, queueBytes))
	require.False(t, q.push(0, 1))
	q.close()
	require.False(t, q.push(0, 0))
	pop()
	_, ok := q.pop()
	require.False(t, ok)
	require.Zero(t, q.bytes)
}
