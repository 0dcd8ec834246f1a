package mqtt

import "sync/atomic"

// account counts what waits of one node, or of the messages of one publisher, in bytes. Who
// waits on a connection that has just ended and who waits on the next share it.
type account struct {
	waiting atomic.Int64
	route   *route // whose it is; nil: of messages

	parked int    // how many of its requests are in the room; guarded by room.mu
	stuck  uint64 // the last pass of the room in which one had to stay; likewise
}

// greed is how many times as much as is free may wait of one node.
//
// Backlog is shared by dynamic thresholds (Choudhury and Hahne, "Dynamic Queue Length Thresholds
// for Shared-Memory Packet Switches", 1998): a node that floods gets three quarters of it, two of
// them three sevenths each, and there is always room left for a node that does not. What it waits
// for is no more than what was accepted before, for all leave in the order in which they came.
const greed = 3

// mayWait says whether more of it may wait while so much is free.
func (a *account) mayWait(free int) bool {
	return free > 0 && a.waiting.Load() <= greed*int64(free)
}

func (a *account) add(bytes int) { a.waiting.Add(int64(bytes)) }

// room is where its requests wait while there is no connection for them; nil: they do not.
func (a *account) room() *room {
	if a.route == nil || !a.route.waits {
		return nil
	}
	return &a.route.publisher.room
}

// unheard is what its requests end with when the broker says that nobody is subscribed; nil: that
// ends nothing.
func (a *account) unheard() error {
	if a.route == nil {
		return nil
	}
	return a.route.unheard
}
