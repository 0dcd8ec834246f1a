//go:build unix

package load

import (
	"fmt"
	"syscall"
)

// spareDescriptors are for all that is not a lane.
const spareDescriptors = 64

// enoughDescriptors says what to do if this process may not open so many connections.
func enoughDescriptors(lanes int) error {
	var limit syscall.Rlimit
	known := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil                 // else connecting shows
	if need := uint64(lanes) + spareDescriptors; known && uint64(limit.Cur) < need { //nolint:unconvert // int64 on some systems
		return fmt.Errorf("%d connections need %d file descriptors, and this process may open %d: run `ulimit -n %d` before, or ask over fewer connections", lanes, need, limit.Cur, need)
	}
	return nil
}
