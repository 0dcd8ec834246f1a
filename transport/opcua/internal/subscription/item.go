package subscription

import (
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// item is a monitored item (OPC 10000-4, 5.13). What it is and how it is sampled is set by the
// services, under the lock of the subscription; what it has noted is guarded by that of samples.
// It keeps nothing of its request, whose ids share the memory of all of it.
type item struct {
	id        uint32
	node      *space.Node
	attribute ua.AttributeID
	part      value.Range // of the attribute
	all       *samples

	// clocked: a live value, which is sampled at the publishing ticks.
	clocked bool
	tick    time.Time // of clocked ones: when to sample next; guarded by the subscription's lock

	// Guarded by all.mu, written only with the subscription's lock held too.
	handle     uint32
	mode       ua.MonitoringMode
	timestamps ua.TimestampsToReturn
	interval   time.Duration // of sampling; 0: each change
	filter     filter
	watch      *watch // what the node tells changes to; nil: nothing is heard

	// Guarded by all.mu.
	queue   queue
	fresh   bool          // nothing was noted yet: what comes first is sampled at once
	held    *ua.DataValue // the newest that was noted
	sampled bool          // held was
	due     time.Time     // when held is to be sampled, if it was not
	last    *ua.DataValue // the newest that was queued, with which the filter compares
	listed  struct{ ready, held bool }
}

// watch is what a node knows of an item. Each time an item is enabled it has a new one, so
// that it does not hear what was meant for an earlier one.
type watch struct{ item *item }

// Changed implements [space.Watcher].
func (w *watch) Changed(v *ua.DataValue) { w.item.all.changed(w, v) }

// isValue says that the item monitors the Value. All other attributes do not change once the
// space is served: they are sampled when the item is enabled.
func (it *item) isValue() bool { return it.attribute == ua.AttributeIDValue }

// enable begins to sample; the lock of the subscription must be held.
//
//  1. the item has a watch, so that it hears from the moment the node knows of it;
//  2. a change arrives before what Watch returns was noted: it is the item's first sample;
//  3. what Watch returned is older then, and is dropped. So values never go backwards.
func (it *item) enable(mode ua.MonitoringMode, now time.Time) {
	w := it.listen(mode)
	if it.isValue() && !it.clocked {
		it.begin(it.node.Watch(w), now)
		return
	}
	it.tick = it.all.instant(now, it.pace())
	it.begin(it.current(), now)
}

func (it *item) listen(mode ua.MonitoringMode) *watch {
	it.all.mu.Lock()
	defer it.all.mu.Unlock()
	it.mode, it.fresh, it.watch = mode, true, &watch{it}
	return it.watch
}

func (it *item) begin(first *ua.DataValue, now time.Time) {
	it.all.mu.Lock()
	defer it.all.mu.Unlock()
	if it.fresh {
		it.note(first, now)
	}
}

// disable ends it and drops what was not published (5.13.1.3).
func (it *item) disable() {
	it.all.mu.Lock()
	w := it.watch
	it.watch, it.mode = nil, ua.MonitoringModeDisabled
	it.held, it.last, it.sampled = nil, nil, true // what is listed leaves the lists by itself
	it.queue.clear()
	it.all.mu.Unlock()
	if w != nil && it.isValue() && !it.clocked {
		it.node.Unwatch(w)
	}
}

// current is what holds now of an item that does not hear of changes.
func (it *item) current() *ua.DataValue {
	if it.isValue() {
		return it.node.Load()
	}
	return it.all.space.Read(&ua.ReadValueID{NodeID: it.node.ID, AttributeID: it.attribute}, ua.TimestampsToReturnBoth)
}

// poll samples a live value, if its time has come; the lock of the subscription must be held.
func (it *item) poll(now time.Time) {
	if it.mode == ua.MonitoringModeDisabled || it.tick.After(now) {
		return
	}
	v := it.current()
	it.tick = it.all.instant(now, it.pace())
	it.all.mu.Lock()
	defer it.all.mu.Unlock()
	it.fresh, it.held, it.sampled = false, v, true
	it.take(v, now)
}

// pace is the sampling interval of a live value.
func (it *item) pace() time.Duration { return max(it.interval, minClocked) }

// note hears of a value, which holds from now on; the lock of samples must be held.
func (it *item) note(v *ua.DataValue, now time.Time) {
	if it.fresh || it.interval == 0 {
		it.fresh, it.held, it.sampled = false, v, true
		it.take(v, now)
		return
	}
	if !it.sampled && !it.due.After(now) {
		it.take(it.held, it.due) // it held at that instant, although nobody looked
	}
	it.held, it.sampled, it.due = v, false, it.all.instant(now, it.interval)
	it.all.hold(it)
}

// take is a sample: it is queued if it passes the filter. The lock of samples must be held.
func (it *item) take(v *ua.DataValue, at time.Time) {
	it.sampled = true
	v = it.cut(v)
	if it.last == nil || it.filter.passes(it.last, v) {
		it.enqueue(v, at)
	}
}

func (it *item) enqueue(v *ua.DataValue, at time.Time) {
	it.last = v
	it.queue.push(sample{value: v, at: at})
	it.all.report(it)
}

// cut gives the part that is monitored.
func (it *item) cut(v *ua.DataValue) *ua.DataValue {
	if !it.part.Set || v.Value == nil {
		return v
	}
	c := *v
	if part, status := it.part.Read(v.Value); status == ua.StatusOK {
		c.Value = part
	} else {
		c.Value, c.Status = nil, status
	}
	c.UpdateMask()
	return &c
}

// reports says whether there is something to report; the lock of samples must be held.
func (it *item) reports() bool { return it.mode == ua.MonitoringModeReporting && it.queue.len > 0 }

// resend queues what holds now, unless there is something to report anyway (5.14.7: initial
// values after a transfer). The lock of the subscription must be held.
func (it *item) resend(now time.Time) {
	if it.mode != ua.MonitoringModeReporting {
		return
	}
	var v *ua.DataValue
	if it.clocked || !it.isValue() {
		v = it.current()
	}
	it.all.mu.Lock()
	defer it.all.mu.Unlock()
	if it.queue.len > 0 {
		return
	}
	if v == nil {
		v = it.held
	}
	it.held, it.sampled = v, true
	it.enqueue(it.cut(v), now)
}
