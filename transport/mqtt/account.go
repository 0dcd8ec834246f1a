package mqtt

import "sync/atomic"

// account counts what waits of one node, or of the messages of one publisher, in bytes. Who
// waits on a connection that has just ended and who waits on the next share it.
type account struct{ waiting atomic.Int64 }

// greed is how many times as much as is free may wait of one node.
//
// Backlog is shared by dynamic thresholds (Choudhury and Hahne, "Dynamic Queue Length Thresholds
// for Shared-Memory Packet Switches", 1998): a node that floods gets three quarters of it, two of
// them three sevenths each, and there is always room left for a node that does not. What it waits
// for is no more than what was accepted before, for all leave in the order in which they came.
const greed = 3

// mayWait says whether more of it may wait while so much is free.
func (a *account) mayWait(free int) bool { return a.waiting.Load() <= greed*int64(free) }

func (a *account) add(bytes int) { a.waiting.Add(int64(bytes)) }
