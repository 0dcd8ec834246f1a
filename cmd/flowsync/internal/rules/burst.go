package rules

import "time"

// burst gathers messages into one array.
type burst struct {
	interval time.Duration // from the first message of a batch; 0 is without end
	maxSize  int           // messages; 0 is maxBatch
}

// maxBatch is how many messages a burst holds at most.
const maxBatch = 65_536

// batch is what a burst holds. Guarded by the mutex of its Run.
type batch struct {
	values     []any
	bytes      int
	last       *message // gives the array its topic and variables
	timer      *time.Timer
	generation int // counts batches, so that a timer that fired late finds its own or none
}

func (b burst) run(m *message, r *run) error {
	value, err := m.load()
	if err != nil {
		return err
	}
	size, err := sizeOf(m, value)
	if err != nil {
		return err
	}
	held := r.state.(*batch)
	if len(held.values) > 0 && held.bytes+size+2 > MaxPayload {
		// One array would be too large: send what is held, and begin anew with this one.
		early := held.take()
		held.add(value, size, m)
		b.arm(held, r)
		m.replace(early)
		return nil
	}
	held.add(value, size, m)
	if len(held.values) >= b.limit() {
		m.replace(held.take())
		return nil
	}
	b.arm(held, r)
	return errHeld
}

func (b burst) limit() int {
	if b.maxSize > 0 {
		return min(b.maxSize, maxBatch)
	}
	return maxBatch
}

// arm starts the clock with the first message of a batch.
func (b burst) arm(held *batch, r *run) {
	if b.interval == 0 || held.timer != nil {
		return
	}
	rule, generation, later := r.index, held.generation, r.later
	held.timer = time.AfterFunc(b.interval, func() { later(rule, held, generation) })
}

func (b *batch) add(value any, size int, m *message) {
	b.values = append(b.values, value)
	b.bytes += size + 1
	b.last = m.clone()
}

// take empties the batch and gives it as one message, or nil if there is none.
func (b *batch) take() *message {
	if len(b.values) == 0 {
		return nil
	}
	if b.timer != nil {
		b.timer.Stop()
	}
	m := b.last
	m.store(b.values[:len(b.values):len(b.values)])
	*b = batch{generation: b.generation + 1}
	return m
}

// sizeOf is how many bytes of JSON a message comes to.
func sizeOf(m *message, value any) (int, error) {
	if m.raw != nil {
		return len(m.raw), nil
	}
	payload, err := encode(value)
	return len(payload), err
}
