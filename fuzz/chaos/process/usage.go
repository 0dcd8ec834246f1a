//go:build linux

package process

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what a process holds of the machine.
type Usage struct {
	RSS   int64 // bytes
	Files int   // open descriptors
}

// Usage reads it from /proc.
func (p *Process) Usage() (Usage, error) {
	var u Usage
	folder := fmt.Sprintf("/proc/%d/", p.PID())
	text, err := os.ReadFile(folder + "statm")
	if err != nil {
		return u, fmt.Errorf("%s: %w", p.spec.Name, err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return u, fmt.Errorf("%s: %sstatm is %q", p.spec.Name, folder, text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return u, fmt.Errorf("%s: %sstatm: %w", p.spec.Name, folder, err)
	}
	u.RSS = pages * int64(os.Getpagesize())
	open, err := os.ReadDir(folder + "fd")
	if err != nil {
		return u, fmt.Errorf("%s: %w", p.spec.Name, err)
	}
	u.Files = len(open)
	return u, nil
}

// Waited is how long each thread of a process, by its id, was ready to run and did not get to, since it began: others had
// the processors. It is read from the scheduler's statistics, and empty if the kernel keeps none.
func Waited(pid int) map[string]time.Duration {
	waited := make(map[string]time.Duration)
	folder := fmt.Sprintf("/proc/%d/task", pid)
	threads, err := os.ReadDir(folder)
	if err != nil {
		return waited // it has ended
	}
	for _, thread := range threads {
		text, err := os.ReadFile(folder + "/" + thread.Name() + "/schedstat")
		if err != nil {
			continue // so has the thread
		}
		var ran, waits int64
		if _, err := fmt.Sscan(string(text), &ran, &waits); err == nil {
			waited[thread.Name()] = time.Duration(waits)
		}
	}
	return waited
}
