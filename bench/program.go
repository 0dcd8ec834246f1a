package bench

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Program is a program that is not this one, and runs.
type Program struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
	err   error         // how it ended; valid then
	lines []string      // the last that it has printed; valid then
}

// keptLines is how many lines of what a program prints are kept for errors.
const keptLines = 20

// StartProgram starts a program and returns when ready has said so of a line that it prints, to
// standard output or standard error. It ends with Close, and on Linux with this process.
func StartProgram(ready func(line string) bool, name string, args ...string) (*Program, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p := &Program{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = write, write
	bind(p.cmd)
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	_ = write.Close() // the program has it
	isReady := make(chan struct{})
	go p.follow(read, ready, isReady)
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case <-isReady:
		return p, nil
	case <-p.ended:
		return nil, p.failure("has ended instead of getting ready")
	case <-timer.C:
		err := p.Close()
		return nil, errors.Join(err, p.failure("does not get ready"))
	}
}

// follow reads what the program prints, until it ends.
func (p *Program) follow(from *os.File, ready func(string) bool, isReady chan<- struct{}) {
	defer close(p.ended)
	waiting := true
	for in := bufio.NewScanner(from); in.Scan(); {
		if waiting && ready(in.Text()) {
			waiting = false
			close(isReady)
		}
		p.lines = append(p.lines[max(0, len(p.lines)-keptLines+1):], in.Text())
	}
	_ = from.Close()
	p.err = p.cmd.Wait()
}

// failure says what a program has done that has ended, and what it said.
func (p *Program) failure(what string) error {
	err := p.err
	if err == nil {
		err = errors.New("exit status 0")
	}
	return fmt.Errorf("bench: %s %s: %w: %s", p.cmd.Path, what, err, strings.Join(p.lines, "\n"))
}

// PID is the id of the process.
func (p *Program) PID() int { return p.cmd.Process.Pid }

// alive says how the program has ended, if it has.
func (p *Program) alive() error {
	select {
	case <-p.ended:
		return p.failure("has ended by itself")
	default:
		return nil
	}
}

// Close asks the program to end and waits until it has. The error says that it ended before, or
// had to be killed.
func (p *Program) Close() error {
	if err := p.alive(); err != nil {
		return err
	}
	if p.cmd.Process.Signal(syscall.SIGTERM) != nil { // Windows does not have it
		_ = p.cmd.Process.Kill()
	}
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	select {
	case <-p.ended:
		return nil
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("bench: %s did not end when it was asked to", p.cmd.Path)
	}
}
