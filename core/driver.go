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
//
// How a Begin learns that the driver is late, without another look at the clock, and without
// taking a machine that has merely paused for one that is overloaded:
//
//  1. While the driver sleeps, wakeAt is what it should do next. Before it sets that to never, it
//     keeps it as overdue until the round is over. So the lesser of the two is what the driver
//     owes at any time, and a Begin, which knows the time, sees how late it is.
//  2. The first Begin that sees it later than maxLate only notes when that was (lateSince). After
//     a pause of the whole machine, or of the process, the driver is awake as soon as the
//     requesters are, and in less than maxLate it owes nothing from before the note any more: the
//     note is void, and nothing is shed.
//  3. A Begin that finds a note older than maxLate, while the driver still owes something from
//     before it, looks into the shards: perhaps all that the driver owes is a look at what has
//     been answered meanwhile. Then the note is made anew, as in 2.
//  4. It is shed if a transaction is held that should have ended more than maxLate ago: in all the
//     time since the note there were requesters that got a processor, and the driver did not, or
//     it had more to end than one goroutine can. Either way what begins now would end late, too.
//  5. Those that are shed arm nothing, hence the driver catches up. As soon as it is no later than
//     maxLate, or the note is void, Begin goes on.
type driver struct {
	wakeAt    atomic.Int64  // ns since the engine's epoch; never: nothing is held
	overdue   atomic.Int64  // wakeAt before the round that the driver is in; never: it is in none
	lateSince atomic.Int64  // when it was seen too late; void if that is before what it owes
	lateIn    atomic.Uint32 // a shard in which something was overdue: it may still be
	maxLate   int64         // ns; never: it cannot be too late

	sleeping atomic.Bool
	wake     chan struct{} // one token: wakeAt was lowered
	stop     chan struct{}
	stopped  chan struct{}
}

func newDriver(maxLate time.Duration) *driver {
	d := &driver{maxLate: int64(maxLate), wake: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{})}
	if maxLate < 0 {
		d.maxLate = never
	}
	d.wakeAt.Store(never)
	d.overdue.Store(never)
	return d
}

// owes is when that was due, or will be, which the driver has to do next.
func (d *driver) owes() int64 {
	at := d.wakeAt.Load() // first, or it might have moved from here to overdue in between
	return min(at, d.overdue.Load())
}

// tooLate says whether a transaction that begins now may have to be shed.
func (d *driver) tooLate(now int64) bool {
	due := d.owes()
	if now-due <= d.maxLate {
		return false
	}
	since := d.lateSince.Load()
	if since < due {
		d.lateSince.CompareAndSwap(since, now)
		return false
	}
	return now-since > d.maxLate
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
		d.overdue.Store(d.wakeAt.Load())
		d.wakeAt.Store(never)
		d.lower(expire(clock()))
		d.overdue.Store(never)
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
