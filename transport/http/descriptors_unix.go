//go:build unix

package http

import (
	"math"
	"syscall"
)

// descriptors is how many files and sockets the process may have open. Go has raised the limit
// to the hard one at start.
func descriptors() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64
	}
	return uint64(limit.Cur) //nolint:unconvert // it is signed on some systems
}
