package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// Process is a server in a process of its own: this program, started again.
type Process struct {
	Address string // of the server
	Broker  string // host:port of the broker inside; empty: there is none

	cmd    *exec.Cmd
	in     io.WriteCloser
	states *json.Decoder
	out    io.ReadCloser
	stderr bytes.Buffer // read once the process has ended
}

// StartProcess starts a server. The process ends with Close, and with this process.
func StartProcess(c Config) (*Process, error) {
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: exec.Command(program)}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(config))
	p.cmd.Stderr = &p.stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.states = json.NewDecoder(p.out)
	s, err := p.state()
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	p.Address, p.Broker = s.Address, s.Broker
	return p, nil
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// tell gives the process a command and returns what it says.
func (p *Process) tell(c command) (state, error) {
	if err := json.NewEncoder(p.in).Encode(c); err != nil {
		return state{}, fmt.Errorf("bench: the server's process: %w", err)
	}
	return p.state()
}

// ask has the server's Tell answer into said, which is a pointer.
func (p *Process) ask(what string, said any) error {
	s, err := p.tell(command{Do: "tell", What: what})
	if err != nil {
		return err
	}
	text, err := json.Marshal(s.Said)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, said)
}

func (p *Process) state() (s state, err error) {
	kill := time.AfterFunc(2*Patience, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	if err := p.states.Decode(&s); err != nil {
		return s, fmt.Errorf("bench: the server's process: %w", err)
	}
	if s.Error != "" {
		return s, fmt.Errorf("bench: the server's process: %s", s.Error)
	}
	return s, nil
}

// profile begins to profile the process, and returns what ends it.
func (p *Process) profile(file string) (end func() error, err error) {
	if _, err := p.tell(command{Do: "profile", File: file}); err != nil {
		return nil, err
	}
	return func() error {
		_, err := p.tell(command{Do: "profiled", File: file})
		return err
	}, nil
}

// Close ends the process. The error says how it ended, if it did not end well.
func (p *Process) Close() error {
	_ = p.in.Close() // which ends it
	kill := time.AfterFunc(Patience, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("bench: the server's process: %w: %s", err, bytes.TrimSpace(p.stderr.Bytes()))
	}
	return nil
}
