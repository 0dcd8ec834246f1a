package responder

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScheduleOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 0))
	s := newSchedule(10_000, 1<<30)
	begin := time.Unix(1000, 0)
	var model []entry
	for n := range uint64(2000) {
		e := entry{due: begin.Add(time.Duration(random.IntN(50)) * time.Millisecond), rank: n, answer: answer{times: int(n)}}
		model = append(model, e)
		require.True(t, s.add(e))
	}
	slices.SortStableFunc(model, func(a, b entry) int { return a.due.Compare(b.due) })
	var batch []answer
	for now := begin; len(model) > 0; now = now.Add(7 * time.Millisecond) {
		for {
			due, wait := s.take(now, batch)
			for _, a := range due {
				require.Equal(t, model[0].answer.times, a.times)
				require.False(t, model[0].due.After(now), "never early")
				model = model[1:]
			}
			if len(due) == 0 {
				require.True(t, wait > 0 || len(model) == 0)
				break
			}
			require.LessOrEqual(t, len(due), maxBatch)
			batch = due
		}
		if len(model) > 0 {
			require.True(t, model[0].due.After(now), "nothing that is due stays")
		}
	}
	_, wait := s.take(begin, batch)
	assert.Negative(t, wait)
	assert.Zero(t, s.waiting())
	assert.Zero(t, s.bytes)
}

func TestScheduleBounds(t *testing.T) {
	now := time.Now()
	byCount := newSchedule(2, 1<<30)
	assert.True(t, byCount.add(entry{due: now}))
	assert.True(t, byCount.add(entry{due: now}))
	assert.False(t, byCount.add(entry{due: now}))
	byCount.take(now, nil)
	assert.True(t, byCount.add(entry{due: now}))

	byBytes := newSchedule(100, 1000)
	big := answer{payload: make([]byte, 800)}
	assert.True(t, byBytes.add(entry{due: now, answer: big}))
	assert.False(t, byBytes.add(entry{due: now, answer: big}))
	byBytes.take(now, nil)
	assert.True(t, byBytes.add(entry{due: now, answer: big}))
}

func TestScheduleWakesForEarlier(t *testing.T) {
	s := newSchedule(10, 1<<30)
	now := time.Now()
	woken := func() bool {
		select {
		case <-s.wakeUp:
			return true
		default:
			return false
		}
	}
	s.add(entry{due: now.Add(time.Second), rank: 1})
	assert.True(t, woken())
	s.add(entry{due: now.Add(2 * time.Second), rank: 2})
	assert.False(t, woken(), "the sender sleeps until the first one anyway")
	s.add(entry{due: now.Add(time.Millisecond), rank: 3})
	assert.True(t, woken())
	_, wait := s.take(now, nil)
	assert.Equal(t, time.Millisecond, wait)
}

func TestSeen(t *testing.T) {
	s := newSeen(100)
	id := func(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }
	for n := range 250 {
		require.False(t, s.add(id(n)))
		require.True(t, s.add(id(n)))
	}
	assert.Len(t, s.known, 100)
	assert.Len(t, s.order, 100)
	assert.True(t, s.add(id(150)), "the oldest that is remembered")
	assert.False(t, s.add(id(149)), "the youngest that is forgotten")
}
