//go:build linux

package process

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// ErrGone says that there is no process any more to do something to.
var ErrGone = errors.New("the process has ended")

// Signal sends a signal.
func (p *Process) Signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return fmt.Errorf("%s: %v: %w", p.spec.Name, s, ErrGone)
	}
	if err := syscall.Kill(p.PID(), s); err != nil {
		return fmt.Errorf("%s: %v: %w", p.spec.Name, s, err)
	}
	return nil
}

// Stop makes the process stand still (SIGSTOP), and returns when it does.
func (p *Process) Stop() error {
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	// SIGSTOP takes effect when the kernel gets round to it.
	for range 1000 {
		if state, err := p.state(); err != nil || state == "T" || state == "Z" {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("%s does not stand still after SIGSTOP", p.spec.Name)
}

// Continue lets it go on (SIGCONT).
func (p *Process) Continue() error { return p.Signal(syscall.SIGCONT) }

// Kill ends the process with SIGKILL and waits until it is gone. One that is gone already is no
// error.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, ErrGone) {
		return err
	}
	<-p.ended
	return nil
}

// End asks the process to end with SIGTERM, and kills it if it has not after patience. The error
// says how it ended, if not by itself and well.
func (p *Process) End(patience time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		if errors.Is(err, ErrGone) {
			<-p.ended
			return fmt.Errorf("%s had ended by itself: %w\n%s", p.spec.Name, p.failure(), p.Tail())
		}
		return err
	}
	_ = p.Continue() // one that stands still would never notice
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%s: %w\n%s", p.spec.Name, p.err, p.last(3))
		}
		return nil
	case <-timer.C:
		return errors.Join(fmt.Errorf("%s did not end within %v after SIGTERM\n%s", p.spec.Name, patience, p.Tail()), p.Kill())
	}
}

// LimitFiles sets the soft limit of file descriptors of the process while it runs (prlimit), and
// returns what it was. Descriptors that are open stay so.
func (p *Process) LimitFiles(soft uint64) (before uint64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone {
		return 0, fmt.Errorf("%s: prlimit: %w", p.spec.Name, ErrGone)
	}
	var old syscall.Rlimit
	if err := prlimit(p.PID(), nil, &old); err != nil {
		return 0, fmt.Errorf("%s: prlimit: %w", p.spec.Name, err)
	}
	if err := prlimit(p.PID(), &syscall.Rlimit{Cur: soft, Max: old.Max}, nil); err != nil {
		return 0, fmt.Errorf("%s: prlimit: %w", p.spec.Name, err)
	}
	return old.Cur, nil
}

func prlimit(pid int, set, get *syscall.Rlimit) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_NOFILE,
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// awaitExit returns when the process has ended, and leaves it waitable.
func awaitExit(pid int) {
	const pPID, exited, leave = 1, 4, 0x1000000 // P_PID, WEXITED, WNOWAIT
	var info [128]byte                          // siginfo_t
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(pid), uintptr(unsafe.Pointer(&info)), exited|leave, 0, 0)
		if errno != syscall.EINTR {
			return
		}
	}
}

// state is the letter that the kernel gives to what a process does.
func (p *Process) state() (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		return "", fmt.Errorf("%s: %w", p.spec.Name, err)
	}
	// The name before it stands in brackets and may have any characters.
	_, rest, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')')+1:]), " ")
	letter, _, _ := strings.Cut(rest, " ")
	return letter, nil
}
