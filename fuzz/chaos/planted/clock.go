package planted

import "go/build"

// ClockEnv is the environment variable with the file that has by how many seconds the wall clock of a gateway is
// off, which was built with [WriteClock]. It is read at SIGUSR2.
const ClockEnv = "FLOWSYNC_CHAOS_CLOCK"

// clock adds to the wall clock, and leaves the monotonic one as it is, as it happens when a machine's clock
// is set.
var clock = Change{
	File: "src/time/time.go",
	Old:  "	sec, nsec, mono := runtimeNow()\n	if mono == 0 {\n		return Time{uint64(nsec), sec + unixToInternal, Local}\n	}\n	mono -= startNano\n	sec += unixToInternal - minWall\n",
	New:  "	sec, nsec, mono := runtimeNow()\n	sec += chaosOffset.Load()\n	if mono == 0 {\n		return Time{uint64(nsec), sec + unixToInternal, Local}\n	}\n	mono -= startNano\n	sec += unixToInternal - minWall\n",
}

const clockOffset = `package time

import (
	"sync/atomic"
	_ "unsafe"
)

var chaosOffset atomic.Int64

//go:linkname setChaosOffset
func setChaosOffset(seconds int64) { chaosOffset.Store(seconds) }
`

const clockSignal = `package main

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	_ "unsafe"
)

//go:linkname setChaosOffset time.setChaosOffset
func setChaosOffset(seconds int64)

func init() {
	set := make(chan os.Signal, 1)
	signal.Notify(set, syscall.SIGUSR2)
	go func() {
		for range set {
			text, err := os.ReadFile(os.Getenv("` + ClockEnv + `"))
			if seconds, parseErr := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && parseErr == nil {
				setChaosOffset(seconds)
			}
		}
	}()
}
`

// WriteClock makes the changes for a wall clock that can be set: it is that of the whole process, since the
// standard library is changed.
func WriteClock(root, folder string) (string, error) {
	w := newWriter(folder)
	if err := w.change(build.Default.GOROOT, clock); err != nil {
		return "", err
	}
	w.add(build.Default.GOROOT, "src/time/chaos.go", clockOffset)
	w.add(root, "cmd/flowsync/planted_chaos.go", clockSignal)
	return w.write()
}
