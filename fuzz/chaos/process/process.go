//go:build linux

package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Spec says what to start.
type Spec struct {
	Name string // of the role, for errors: gateway, broker, responder
	Path string
	Args []string
	Env  []string // added to the environment of this process
	// Log takes what the process prints. The process ends up with a pipe, so it must be read: nil
	// drops it.
	Log io.Writer
	// Ready says of a line that the process is ready. nil: it is at once.
	Ready func(line string) bool
	// NewNetwork starts it in a network namespace of its own, which only root may.
	NewNetwork bool
	// Patience is how long it may take to get ready.
	Patience time.Duration
}

// Process is one that was started. Its methods may be called from many goroutines.
type Process struct {
	spec  Spec
	cmd   *exec.Cmd
	ended chan struct{} // closed when it was waited for
	err   error         // how it ended; valid then

	mu    sync.Mutex // guards what follows, and that no signal is sent once gone is set
	gone  bool
	lines []string // the last it printed
}

// keptLines is how many lines of what a process prints are kept for errors.
const keptLines = 20

// starter runs one goroutine on one thread for ever: the kernel kills a process with
// PR_SET_PDEATHSIG when the thread that started it ends, not the process.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// Start starts a process and returns when it is ready.
func Start(ctx context.Context, spec Spec) (*Process, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", spec.Name, err)
	}
	p := &Process{spec: spec, cmd: exec.Command(spec.Path, spec.Args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), spec.Env...)
	p.cmd.Stdout, p.cmd.Stderr = write, write
	// A group of its own: Ctrl-C at the terminal reaches the campaign alone, which ends the others
	// in its order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if spec.NewNetwork {
		p.cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	}
	started := make(chan error)
	starter() <- func() { started <- p.cmd.Start() }
	err = <-started
	_ = write.Close() // the process has it
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", spec.Name, err), read.Close())
	}
	ready := make(chan struct{})
	go p.follow(read, ready)
	return p, p.await(ctx, ready)
}

// await waits until the process is ready. One that does not get ready is killed.
func (p *Process) await(ctx context.Context, ready <-chan struct{}) error {
	if p.spec.Ready == nil {
		return nil
	}
	timer := time.NewTimer(p.spec.Patience)
	defer timer.Stop()
	var why error
	select {
	case <-ready:
		return nil
	case <-p.ended:
		return fmt.Errorf("%s ended instead of getting ready: %w\n%s", p.spec.Name, p.failure(), p.Tail())
	case <-ctx.Done():
		why = ctx.Err()
	case <-timer.C:
		why = fmt.Errorf("not ready after %v", p.spec.Patience)
	}
	return errors.Join(fmt.Errorf("%s: %w\n%s", p.spec.Name, why, p.Tail()), p.Kill())
}

// follow reads what the process prints until it ends.
func (p *Process) follow(from *os.File, ready chan<- struct{}) {
	defer close(p.ended)
	in := bufio.NewReader(from)
	for waiting := p.spec.Ready != nil; ; {
		line, err := in.ReadString('\n') // bounded by what our own programs print
		if p.spec.Log != nil && line != "" {
			_, _ = io.WriteString(p.spec.Log, line) // a full disk must not stop the process
		}
		if text := strings.TrimSuffix(line, "\n"); text != "" {
			p.keep(text)
			if waiting && p.spec.Ready(text) {
				waiting = false
				close(ready)
			}
		}
		if err != nil {
			break
		}
	}
	_ = from.Close()
	p.reap()
}

// reap waits for the process. It stays a zombie, and its id its own, until no signal can be sent
// to it any more.
func (p *Process) reap() {
	awaitExit(p.cmd.Process.Pid)
	p.mu.Lock()
	p.gone = true
	p.mu.Unlock()
	p.err = p.cmd.Wait()
}

func (p *Process) keep(line string) {
	const longest = 500
	if len(line) > longest {
		line = line[:longest] + "…"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines[max(0, len(p.lines)-keptLines+1):], line)
}

// Tail is the last that the process has printed.
func (p *Process) Tail() string { return p.last(keptLines) }

func (p *Process) last(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines[max(0, len(p.lines)-n):], "\n")
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.ended }

// Err is how the process ended; nil: with exit code 0, or not yet.
func (p *Process) Err() error {
	select {
	case <-p.ended:
		return p.err
	default:
		return nil
	}
}

// failure is how the process ended, in words.
func (p *Process) failure() error {
	if p.err != nil {
		return p.err
	}
	return errors.New("exit status 0")
}
