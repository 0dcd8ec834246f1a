package core

import (
	"sync/atomic"
	"time"
)

// driver is the one goroutine that makes deadlines happen, for all shards. It sleeps until the
// next one and parks when nothing is held.
//
// How a transaction that begins while the driver goes to sleep is not missed:
//
//  1. The driver sets wakeAt to never and looks at all shards.
//  2. A Begin with an earlier deadline than wakeAt lowers it. It disturbs the driver only if
//     that sleeps: while it works it will see wakeAt anyway.
//  3. The driver lowers wakeAt to what it found, says that it sleeps, and looks at wakeAt once
//     more. A Begin that lowered it before that look is seen by the driver; one that lowers it
//     afterwards sees the driver asleep and wakes it.
type driver struct {
	wakeAt   atomic.Int64 // ns since the engine's epoch; never: nothing is held
	sleeping atomic.Bool
	wake     chan struct{} // one token: wakeAt was lowered
	stop     chan struct{}
	stopped  chan struct{}
}

func newDriver() *driver {
	d := &driver{wake: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{})}
	d.wakeAt.Store(never)
	return d
}

// notice makes sure that the driver is awake at a deadline.
func (d *driver) notice(deadline int64) {
	if d.lower(deadline) && d.sleeping.Load() {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}
}

// lower sets wakeAt to at if that is earlier, and says whether it was.
func (d *driver) lower(at int64) bool {
	for {
		current := d.wakeAt.Load()
		if at >= current {
			return false
		}
		if d.wakeAt.CompareAndSwap(current, at) {
			return true
		}
	}
}

// run calls expire, which completes what is due and returns when there is more, until close.
func (d *driver) run(clock func() int64, expire func(now int64) int64) {
	defer close(d.stopped)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		d.wakeAt.Store(never)
		d.lower(expire(clock()))
		d.sleeping.Store(true)
		if at := d.wakeAt.Load(); at == never {
			timer.Stop()
		} else { // deadlines fire on whole ticks, so that is when to wake
			timer.Reset(time.Duration(tickOf(at)*tick - clock()))
		}
		select {
		case <-timer.C:
		case <-d.wake:
		case <-d.stop:
			return
		}
		d.sleeping.Store(false)
	}
}

func (d *driver) close() {
	close(d.stop)
	<-d.stopped
}
