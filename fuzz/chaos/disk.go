//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// diskSize is that of the gateway's state directory, in bytes. The keys of a long campaign take a
// tenth of it.
const diskSize = 256 << 20

// disk is a file system in memory that can be filled.
type disk struct{ folder string }

// diskSource is what it is called in the list of mounts, before the process id of the campaign.
const diskSource = "flowsync-chaos-"

// mountDisk mounts it. Only root may.
func mountDisk(folder string) (*disk, error) {
	unmountLost()
	options := fmt.Sprintf("size=%d,mode=0700", diskSize)
	if err := syscall.Mount(diskSource+strconv.Itoa(os.Getpid()), folder, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, options); err != nil {
		return nil, fmt.Errorf("mounting a file system for the state directory (which takes root; -disk=false does without): %w", err)
	}
	return &disk{folder}, nil
}

// unmountLost unmounts those of campaigns that were killed.
func unmountLost() {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		pid, ok := strings.CutPrefix(fields[0], diskSource)
		if !ok {
			continue
		}
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, os.ErrNotExist) {
			_ = syscall.Unmount(fields[1], syscall.MNT_DETACH)
		}
	}
}

func (d *disk) filler() string { return filepath.Join(d.folder, "filler") }

// fill writes a file until there is no room any more.
func (d *disk) fill() error {
	f, err := os.OpenFile(d.filler(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return errors.Join(err, f.Close())
	}
	for err = nil; err == nil; { // the last bytes too
		_, err = io.WriteString(f, "x")
	}
	return f.Close()
}

// empty takes the file away.
func (d *disk) empty() error {
	err := os.Remove(d.filler())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// Close unmounts it.
func (d *disk) Close() error {
	if err := syscall.Unmount(d.folder, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmounting %s: %w", d.folder, err)
	}
	return nil
}
