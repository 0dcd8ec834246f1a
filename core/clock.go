package core

import (
	"sync/atomic"
	"time"
)

// clock tells the time in ns since its epoch, monotonic, and what the wall clock shows at it.
//
// To read both clocks takes almost twice as long as to read one. So the wall clock is read once a
// second, by whoever wants to know it next, and what has passed since is added: when it is set to
// another time, timestamps follow within a second. Deadlines do not know of it: they are counted by
// the monotonic clock alone.
type clock struct {
	epoch time.Time
	read  func() time.Time // both clocks; time.Now
	last  atomic.Pointer[reading]
}

// reading is one of both clocks.
type reading struct {
	time time.Time
	at   int64 // ns since the epoch
}

const readWallEvery = time.Second

func newClock() *clock {
	c := &clock{epoch: time.Now(), read: time.Now}
	c.last.Store(&reading{time: c.epoch})
	return c
}

func (c *clock) now() int64 { return int64(time.Since(c.epoch)) }

// time returns now, which is not long ago, with wall and monotonic reading.
func (c *clock) time(now int64) time.Time {
	r := c.last.Load()
	if now-r.at >= int64(readWallEvery) {
		t := c.read()
		r = &reading{time: t, at: int64(t.Sub(c.epoch))}
		c.last.Store(r)
	}
	return r.time.Add(time.Duration(now - r.at))
}
