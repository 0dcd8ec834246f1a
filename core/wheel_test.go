package core

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWheelAgainstSortedList drives the wheel and a plain list with the same random arms,
// disarms and advances, deadlines from now to beyond the longest timeout, and small budgets.
func TestWheelAgainstSortedList(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		var tb table
		var w wheel
		model := map[uint32]int64{} // slot -> deadline
		now := int64(0)
		for range 2000 {
			switch random.IntN(4) {
			case 0, 1:
				i := tb.take(1 << 20)
				s := tb.at(i)
				s.deadline = now - 3*tick + random.Int64N(1<<random.IntN(43))
				s.done = ignore{}
				w.arm(&tb, i, s)
				model[i] = s.deadline
			case 2:
				for i := range model { // any one
					w.disarm(&tb, i, tb.at(i))
					tb.put(i, tb.at(i))
					delete(model, i)
					break
				}
			case 3:
				now += random.Int64N(1 << random.IntN(40))
				requireDue(t, &tb, &w, model, now, random.IntN(5)+1)
			}
			requireNext(t, &w, model)
		}
		requireDue(t, &tb, &w, model, 1<<60, 1000)
		require.Empty(t, model)
		require.Equal(t, never, w.next())
	}
}

// requireDue advances to now and checks that exactly what is due comes out, nothing early.
func requireDue(t *testing.T, tb *table, w *wheel, model map[uint32]int64, now int64, step int) {
	t.Helper()
	for {
		budget := step
		i := w.due(tb, now, &budget)
		if i == 0 && budget > 0 {
			break
		}
		if i == 0 {
			continue
		}
		deadline, armed := model[i]
		require.True(t, armed, "slot %d came out but was not armed", i)
		require.LessOrEqual(t, deadline, now, "early")
		w.disarm(tb, i, tb.at(i))
		tb.put(i, tb.at(i))
		delete(model, i)
	}
	for _, deadline := range model {
		require.Greater(t, tickOf(deadline), now/tick, "not fired")
	}
}

func requireNext(t *testing.T, w *wheel, model map[uint32]int64) {
	t.Helper()
	if len(model) == 0 {
		return
	}
	var deadlines []int64
	for _, d := range model {
		deadlines = append(deadlines, max(tickOf(d), w.now))
	}
	require.LessOrEqual(t, w.next(), slices.Min(deadlines)*tick, "the wheel would be looked at too late")
}

// TestWheelBudget: what one advance does under the lock is bounded, however many come due.
func TestWheelBudget(t *testing.T) {
	sh, node := newTestShard()
	const n = 10_000
	for range n {
		sh.begin(node, ignore{}, 0, 0, 5000*tick, 0)
	}
	seen, calls := 0, 0
	for {
		batch, next := sh.advance(5000*tick, nil)
		require.LessOrEqual(t, len(batch), advanceBudget)
		seen += len(batch)
		calls++
		if next > 5000*tick {
			break
		}
	}
	require.Equal(t, n, seen)
	require.GreaterOrEqual(t, calls, 2*n/advanceBudget, "each slot is moved down at least once")
}
