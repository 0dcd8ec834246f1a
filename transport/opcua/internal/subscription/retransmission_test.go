package subscription

import (
	"math"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
)

// send keeps the next message, with some notifications.
func send(r *retransmission, notifications int) {
	r.keep(&ua.NotificationMessage{SequenceNumber: r.next}, notifications, 0)
}

func TestSequenceNumbersLeaveOutZero(t *testing.T) {
	r := retransmission{next: math.MaxUint32, limit: 9, budget: &budget{limit: 9}}
	send(&r, 1)
	send(&r, 1)
	assert.Equal(t, []uint32{math.MaxUint32, 1}, r.available())
	assert.Equal(t, uint32(2), r.next)
}

func TestOldestMessagesGo(t *testing.T) {
	tests := map[string]struct {
		limit, budget int
		sent          []int
		want          []uint32
		used          int64
	}{
		"room for all":                    {9, 99, []int{1, 1, 1}, []uint32{1, 2, 3}, 3},
		"too many messages":               {2, 99, []int{1, 1, 1}, []uint32{2, 3}, 2},
		"too many notifications":          {9, 10, []int{4, 4, 4}, []uint32{2, 3}, 8},
		"the newest stays in any case":    {9, 10, []int{4, 4, 50}, []uint32{3}, 50},
		"and goes for the next":           {9, 10, []int{50, 1}, []uint32{2}, 1},
		"some go for one that fits alone": {9, 10, []int{1, 1, 1, 8}, []uint32{2, 3, 4}, 10},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := budget{limit: int64(test.budget)}
			r := retransmission{next: 1, limit: test.limit, budget: &b}
			for _, n := range test.sent {
				send(&r, n)
			}
			assert.Equal(t, test.want, r.available())
			assert.Equal(t, test.used, b.used.Load())
			r.clear()
			assert.Zero(t, b.used.Load())
			assert.Empty(t, r.available())
		})
	}
}
