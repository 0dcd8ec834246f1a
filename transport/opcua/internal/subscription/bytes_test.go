package subscription

import (
	"math/rand/v2"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// long pushes a value of n bytes with the number i.
func long(q *queue, i, n int) {
	q.push(sample{value: &ua.DataValue{Status: ua.StatusCode(i), Value: ua.MustVariant(string(make([]byte, n)))}})
}

// Long values fill a queue before their number does, when all queues together have no room.
func TestLongValuesFillQueues(t *testing.T) {
	for name, test := range map[string]struct {
		discardOldest bool
		want          []int
	}{
		"oldest lost":     {true, []int{-7, 8, 9}},
		"newest replaced": {false, []int{1, 2, -9}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &budget{limit: 3200}
			q := queue{size: 100, discardOldest: test.discardOldest, bytes: b}
			for i := range 9 {
				long(&q, i+1, 1000)
			}
			assert.Equal(t, test.want, drain(&q))
			assert.Zero(t, b.used.Load())
		})
	}
}

// A queue always takes one value, however long, and short ones do not count.
func TestOneLongValueIsAlwaysTaken(t *testing.T) {
	b := &budget{limit: 100}
	q := queue{size: 10, discardOldest: true, bytes: b}
	long(&q, 1, 1000)
	long(&q, 2, 2000)
	assert.Equal(t, []int{-2}, drain(&q))
	fill(&q, 9)
	assert.Len(t, drain(&q), 9)
	assert.Zero(t, b.used.Load())
}

// Whatever is done to queues, the budget has what is in them.
func TestBudgetOfQueuesAddsUp(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := &budget{limit: 20_000}
	queues := make([]queue, 5)
	for i := range queues {
		queues[i] = queue{size: 1 + i*3, discardOldest: i%2 == 0, bytes: b}
	}
	for range 20_000 {
		q := &queues[random.IntN(len(queues))]
		switch random.IntN(8) {
		case 0:
			q.resize(1+random.IntN(12), random.IntN(2) == 0)
		case 1:
			if random.IntN(10) == 0 {
				q.clear()
			}
		case 2, 3:
			if q.len > 0 {
				q.pop()
			}
		default:
			long(q, 1, random.IntN(4000))
		}
		held := 0
		for i := range queues {
			for k := range queues[i].len {
				held += queues[i].at(k).weight
			}
		}
		require.EqualValues(t, held, b.used.Load())
	}
	for i := range queues {
		queues[i].clear()
	}
	assert.Zero(t, b.used.Load())
}

// Of kept messages the oldest go when their values are long; a newest that has no room even then
// is not kept.
func TestLongMessagesAreKeptWithinTheBudget(t *testing.T) {
	notifications, bytes := &budget{limit: 1000}, &budget{limit: 2500}
	r := retransmission{next: 1, limit: 100, budget: notifications, bytes: bytes}
	for range 5 {
		r.keep(&ua.NotificationMessage{SequenceNumber: r.next}, 1, 1000)
	}
	assert.Equal(t, []uint32{4, 5}, r.available())
	r.keep(&ua.NotificationMessage{SequenceNumber: r.next}, 1, 5000)
	assert.Empty(t, r.available())
	assert.Zero(t, notifications.used.Load())
	assert.Zero(t, bytes.used.Load())
	r.keep(&ua.NotificationMessage{SequenceNumber: r.next}, 1, 0)
	assert.Equal(t, []uint32{7}, r.available())
}
