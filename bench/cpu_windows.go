package bench

import (
	"fmt"
	"syscall"
	"time"
)

// cpuTime is the CPU time of this process so far, user and system.
func cpuTime() (time.Duration, error) {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0, fmt.Errorf("bench: CPU time of the process: %w", err)
	}
	var creation, exit, system, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &creation, &exit, &system, &user); err != nil {
		return 0, fmt.Errorf("bench: CPU time of the process: %w", err)
	}
	const tick = 100 * time.Nanosecond
	ticks := func(t syscall.Filetime) int64 { return int64(t.HighDateTime)<<32 | int64(t.LowDateTime) }
	return time.Duration(ticks(user)+ticks(system)) * tick, nil
}
