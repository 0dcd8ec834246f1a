package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"time"
)

// childEnv tells a process that it is a server, with a [Config] as JSON.
const childEnv = "FLOWSYNC_BENCH_SERVER"

// Patience is how long anything may take that should take no time.
const Patience = 30 * time.Second

// command is a line that a server's process is told, as JSON. What comes back is a state.
type command struct {
	Do   string // see child.do
	What string `json:",omitempty"`
	N    int    `json:",omitempty"`
	File string `json:",omitempty"`
}

// state is what a server's process says.
type state struct {
	Address    string        `json:",omitempty"` // once, at the beginning
	Broker     string        `json:",omitempty"` // likewise
	CPU        time.Duration // of the process, user and system, so far
	Heap       int64         `json:",omitempty"` // bytes, after a collection
	Goroutines int           `json:",omitempty"`
	Said       any           `json:",omitempty"` // by Server.Tell
	Error      string        `json:",omitempty"`
}

// child is the process of a server, seen from inside.
type child struct {
	Server
	profiling *os.File
}

// serveChild runs a server until commands end, which they do when the other process does.
func serveChild(servers Servers, config string, commands io.Reader, states io.Writer) error {
	log.SetOutput(io.Discard)
	var c Config
	if err := json.Unmarshal([]byte(config), &c); err != nil {
		return fmt.Errorf("bench: %s: %w", childEnv, err)
	}
	start := servers[c.Server]
	if start == nil {
		return fmt.Errorf("bench: there is no server %q", c.Server)
	}
	server, err := start(c)
	if err != nil {
		return fmt.Errorf("bench: starting %s: %w", c.Server, err)
	}
	err = (&child{Server: server}).obey(state{Address: server.Address, Broker: server.Broker}, commands, states)
	return errors.Join(err, server.Stop())
}

func (c *child) obey(first state, commands io.Reader, states io.Writer) error {
	out := json.NewEncoder(states)
	if err := out.Encode(first); err != nil {
		return err
	}
	for in := bufio.NewScanner(commands); in.Scan(); {
		var do command
		if err := json.Unmarshal(in.Bytes(), &do); err != nil {
			return fmt.Errorf("bench: a command: %w", err)
		}
		s, err := c.do(do)
		if err != nil {
			s.Error = err.Error()
		}
		if err := out.Encode(s); err != nil {
			return err
		}
	}
	return nil
}

func (c *child) do(do command) (s state, err error) {
	switch do.Do {
	case "cpu":
	case "memory":
		s = memory()
	case "hold", "held", "release":
		err = c.hold(do)
	case "tell":
		if c.Tell == nil {
			return s, errors.New("bench: this server has nothing to tell")
		}
		s.Said, err = c.Tell(do.What)
	case "profile":
		if c.profiling, err = os.Create(do.File + ".cpu"); err == nil {
			err = pprof.StartCPUProfile(c.profiling)
		}
	case "profiled":
		err = c.profiled(do.File)
	default:
		err = fmt.Errorf("bench: the command %q is not known", do.Do)
	}
	var cpuErr error
	s.CPU, cpuErr = cpuTime()
	return s, errors.Join(err, cpuErr)
}

// hold is about what the backend keeps.
func (c *child) hold(do command) error {
	if c.Backend == nil {
		return fmt.Errorf("bench: this server has no backend to %s", do.Do)
	}
	switch do.Do {
	case "hold":
		c.Backend.Hold()
	case "held":
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		return c.Backend.AwaitHeld(ctx, do.N)
	case "release":
		return c.Backend.Release()
	}
	return nil
}

// memory collects twice, so that what was put into pools is gone.
func memory() state {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return state{Heap: int64(m.HeapAlloc), Goroutines: runtime.NumGoroutine()}
}

// profiled ends a profile of CPU time, and writes one of all allocations so far.
func (c *child) profiled(file string) error {
	pprof.StopCPUProfile()
	err := c.profiling.Close()
	allocs, createErr := os.Create(file + ".allocs")
	if createErr != nil {
		return errors.Join(err, createErr)
	}
	return errors.Join(err, pprof.Lookup("allocs").WriteTo(allocs, 0), allocs.Close())
}
