//go:build unix

package correlate

import (
	"syscall"
	"testing"
	"time"
)

// processTime is the CPU time of this process so far, user and system.
func processTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatalf("correlate: CPU time of the process: %v", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
