package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzWheel reads its input as a program: each three bytes arm, disarm, put off or advance, with
// deadlines from those that are over to the last one that the wheel has a bucket for, 139 years
// ahead. The wheel must give back what a plain list of deadlines has, nothing early, however little
// is done at a time, and ask to be looked at in time.
func FuzzWheel(f *testing.F) {
	for _, program := range [][]byte{
		{0, 32, 1, 0, 63, 1, 3, 32, 1, 3, 60, 1},                   // near and far, advance to both
		{0, 42, 200, 0, 42, 201, 3, 42, 199, 3, 21, 255},           // an hour, just before it, after it
		{0, 26, 4, 0, 26, 5, 0, 26, 6, 3, 26, 4, 1, 0, 0, 3, 8, 1}, // disarmed while its bucket is open
		{0, 26, 1, 2, 42, 1, 3, 27, 1, 2, 0, 0, 3, 1, 1},           // put off, put off to what is over
		{3, 61, 255, 0, 20, 1, 0, 62, 255, 3, 62, 255},             // late in the life of the engine
		{0, 62, 255, 3, 62, 254, 0, 1, 1, 3, 62, 255},              // the horizon
	} {
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		p := &wheelPlayer{t: t, model: map[uint32]int64{}}
		for i := 0; i+2 < len(program) && i < 3*maxWheelSteps; i += 3 {
			p.step(program[i], span(program[i+1], program[i+2]))
			requireNext(t, &p.wheel, p.model)
		}
		requireDue(t, &p.table, &p.wheel, p.model, horizon, advanceBudget)
		require.Empty(t, p.model)
		require.Equal(t, never, p.wheel.next())
	})
}

const (
	maxWheelSteps = 300

	// horizon is the last time for which the wheel has a bucket.
	horizon = (int64(1)<<(wheelBits*wheelLevels) - 1) * tick
)

// span is a time in ns from 0 to beyond the horizon: a power of two, and eighths of a thousandth
// more, so that many deadlines are near others.
func span(power, more byte) int64 {
	return int64(1)<<(power%63) + int64(more)*tick/8
}

type wheelPlayer struct {
	t     *testing.T
	table table
	wheel wheel
	now   int64
	model map[uint32]int64 // deadlines by slot
	slots []uint32         // those armed, in no order
}

func (p *wheelPlayer) step(op byte, by int64) {
	switch op % 4 {
	case 0:
		i := p.table.take(1 << 20)
		p.arm(i, p.now-3*tick+by)
		p.slots = append(p.slots, i)
	case 1:
		if i := p.pick(by); i != 0 {
			p.wheel.disarm(&p.table, i, p.table.at(i))
			p.table.put(i, p.table.at(i))
			delete(p.model, i)
		}
	case 2: // as an extension does, but to any time
		if i := p.pick(by); i != 0 {
			p.wheel.disarm(&p.table, i, p.table.at(i))
			p.arm(i, p.now-3*tick+by)
		}
	case 3:
		p.now = min(p.now+by, horizon)
		requireDue(p.t, &p.table, &p.wheel, p.model, p.now, int(op>>2)+1)
	}
}

func (p *wheelPlayer) arm(i uint32, deadline int64) {
	s := p.table.at(i)
	s.deadline, s.done = min(deadline, horizon), ignore{}
	p.wheel.arm(&p.table, i, s)
	p.model[i] = s.deadline
}

// pick returns one that is armed, 0 if none is.
func (p *wheelPlayer) pick(by int64) uint32 {
	live := p.slots[:0]
	seen := map[uint32]bool{}
	for _, i := range p.slots {
		if _, armed := p.model[i]; armed && !seen[i] {
			seen[i] = true
			live = append(live, i)
		}
	}
	if p.slots = live; len(live) == 0 {
		return 0
	}
	return live[uint64(by)%uint64(len(live))]
}
