package load

import (
	"syscall"
	"time"
)

// pause waits about so long, or less. Timers of the runtime may be a millisecond late when nothing
// else goes on (epoll counts in milliseconds); nanosleep is late by some 60 µs.
func pause(d time.Duration) {
	const coarse = 2 * time.Millisecond
	if d > coarse {
		<-time.After(d - coarse)
		return
	}
	left := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&left, nil) // a signal ends it early, and who waits looks at the clock
}
