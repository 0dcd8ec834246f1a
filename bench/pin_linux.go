package bench

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// cpuSet is what the kernel takes for a set of CPUs: a bit for each of 1024.
type cpuSet [1024 / 64]uint64

func (s *cpuSet) cpus() (cpus []int) {
	for i := range 64 * len(s) {
		if s[i/64]>>(i%64)&1 != 0 {
			cpus = append(cpus, i)
		}
	}
	return cpus
}

// allowedCPUs are those on which this process may run.
func allowedCPUs() ([]int, error) {
	var s cpuSet
	if _, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(s), uintptr(unsafe.Pointer(&s))); errno != 0 {
		return nil, fmt.Errorf("bench: the CPUs of this process: %w", errno)
	}
	return s.cpus(), nil
}

// pin makes all threads of this process run on these CPUs only. Programs that are started from then
// on inherit it.
func pin(cpus []int) error {
	var s cpuSet
	for _, c := range cpus {
		s[c/64] |= 1 << (c % 64)
	}
	const rounds = 3 // a thread may have been made meanwhile, by one that was not pinned yet
	for range rounds {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		for _, t := range threads {
			id, err := strconv.Atoi(t.Name())
			if err != nil {
				return err
			}
			_, _, errno := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, uintptr(id), unsafe.Sizeof(s), uintptr(unsafe.Pointer(&s)))
			if errno != 0 && !errors.Is(errno, syscall.ESRCH) { // it may have ended
				return fmt.Errorf("bench: CPUs of a thread: %w", errno)
			}
		}
	}
	return nil
}
