package correlate

import (
	"syscall"
	"testing"
	"time"
)

// processTime is the CPU time of this process so far, user and system.
func processTime(tb testing.TB) time.Duration {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		tb.Fatalf("correlate: CPU time of the process: %v", err)
	}
	var creation, exit, system, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &creation, &exit, &system, &user); err != nil {
		tb.Fatalf("correlate: CPU time of the process: %v", err)
	}
	const tick = 100 * time.Nanosecond
	ticks := func(t syscall.Filetime) int64 { return int64(t.HighDateTime)<<32 | int64(t.LowDateTime) }
	return time.Duration(ticks(user)+ticks(system)) * tick
}
