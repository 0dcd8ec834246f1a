//go:build !linux

package bench

import (
	"errors"
	"time"
)

var errOnlyLinux = errors.New("bench: the cost of programs that are not ours is read on Linux only")

func processCPU(int) (time.Duration, error) { return 0, errOnlyLinux }

func processRSS(int) (int64, error) { return 0, errOnlyLinux }

func allowedCPUs() ([]int, error) { return nil, errOnlyLinux }

func pin([]int) error { return errOnlyLinux }
