package mem

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// network decides the fate of messages and keeps those that are delayed. Only run uses it.
type network struct {
	requests, answers lane
	delayed           queue
	seq               uint64
}

// lane is one direction.
type lane struct {
	faults Faults
	random *rand.Rand
	last   map[string]time.Time // when the last one in order arrives, by topic; cleared when idle
}

func newNetwork(o *Options) *network {
	return &network{
		requests: lane{o.Requests, rand.New(rand.NewPCG(o.Seed, 1)), map[string]time.Time{}},
		answers:  lane{o.Answers, rand.New(rand.NewPCG(o.Seed, 2)), map[string]time.Time{}},
	}
}

// fate is what happens to one message.
type fate struct {
	copies int
	delays [2]time.Duration
	free   bool // it may overtake
}

// draw takes as many numbers for each message, whatever becomes of it, so that changing one
// share leaves the other faults where they were.
func (l *lane) draw() fate {
	f, r := &l.faults, l.random
	drop, double, free := r.Float64(), r.Float64(), r.Float64()
	spread := float64(f.MaxDelay - f.MinDelay)
	fate := fate{copies: 1, free: free < f.Reorder}
	for i := range fate.delays {
		fate.delays[i] = f.MinDelay + time.Duration(r.Float64()*spread)
	}
	if double < f.Duplicate {
		fate.copies = 2
	}
	if drop < f.Drop {
		fate.copies = 0
	}
	return fate
}

// accept puts a message on its way and returns how many copies of it there are.
func (n *network) accept(p parcel, now time.Time) int {
	l := &n.answers
	if !p.id.IsZero() {
		l = &n.requests
	}
	f := l.draw()
	for i := range f.copies {
		at := now.Add(f.delays[i])
		if !f.free {
			if last := l.last[p.message.Topic]; at.Before(last) {
				at = last
			}
			if l.faults.MaxDelay > 0 {
				l.last[p.message.Topic] = at
			}
		}
		n.seq++
		heap.Push(&n.delayed, arrival{at, n.seq, p})
	}
	return f.copies
}

// due returns the next message that arrives by now.
func (n *network) due(now time.Time) (parcel, bool) {
	if len(n.delayed) == 0 || n.delayed[0].at.After(now) {
		return parcel{}, false
	}
	p := heap.Pop(&n.delayed).(arrival).parcel
	if len(n.delayed) == 0 {
		clear(n.requests.last)
		clear(n.answers.last)
	}
	return p, true
}

// arrival is a message and when it arrives; of the same time in the order in which they left.
type arrival struct {
	at     time.Time
	seq    uint64
	parcel parcel
}

type queue []arrival

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(arrival)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = arrival{}
	*q = (*q)[:len(*q)-1]
	return last
}
