package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Path is a way from HTTP over MQTT and back, as it is put together of processes. Workloads with the
// same one share what it starts.
type Path struct {
	Name string // in tables
	// Open starts the processes, the gateway among them, and returns what requesters connect to,
	// host:port.
	Open func(*Site) (address string, err error)
}

// The roles of processes.
const (
	Gateway   = "gateway"
	Broker    = "broker"
	Responder = "responder"
)

// Echo is the request path that is answered with what it is asked with; Hold that which nobody
// answers. Both are POST.
const (
	Echo = "/data/echo"
	Hold = "/data/hold"
)

// EchoTopic is the topic of [Echo], without treq and tres.
const EchoTopic = "services/bench/echo"

// HoldTopic is the topic of [Hold].
const HoldTopic = "services/bench/hold"

// Site is a path that runs.
type Site struct {
	address string   // of the gateway, host:port
	admin   string   // of flowsync's for operators; empty: it is another gateway
	folder  string   // of files
	limits  []string // arguments of flowsync, besides those of the path
	parts   []part
}

// part is a process of a site.
type part struct {
	role    string
	process process
}

// process is a [Process] or a [Program].
type process interface {
	PID() int
	Close() error
}

// openSite starts a path. Its files are below folder.
func openSite(p *Path, folder string) (*Site, error) {
	s := &Site{}
	var err error
	if s.folder, err = os.MkdirTemp(folder, "site-"); err != nil {
		return nil, err
	}
	if s.address, err = p.Open(s); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: starting %s: %w", p.Name, err), s.Close())
	}
	if s.part(Gateway) == nil {
		return nil, errors.Join(fmt.Errorf("bench: %s has no gateway", p.Name), s.Close())
	}
	return s, nil
}

// onSite starts a path, and ends it when f has done with it what it does.
func onSite(p *Path, f func(*Site) error) (err error) {
	c, err := NewCampaign()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	s, err := c.site(p)
	if err != nil {
		return err
	}
	if err := errors.Join(f(s), s.alive()); err != nil {
		return fmt.Errorf("bench: %s: %w", p.Name, err)
	}
	return nil
}

// Serve starts a server of this program in a process of its own.
func (s *Site) Serve(role string, c Config) (*Process, error) {
	p, err := StartProcess(c)
	if err != nil {
		return nil, err
	}
	s.parts = append(s.parts, part{role, p})
	return p, nil
}

// Run starts another program, see [StartProgram].
func (s *Site) Run(role string, ready func(line string) bool, name string, args ...string) error {
	p, err := StartProgram(ready, name, args...)
	if err != nil {
		return err
	}
	s.parts = append(s.parts, part{role, p})
	return nil
}

// File writes a file and returns its path.
func (s *Site) File(name, text string) (string, error) {
	file := filepath.Join(s.folder, name)
	return file, os.WriteFile(file, []byte(text), 0o600)
}

// part is the process in a role; nil: there is none.
func (s *Site) part(role string) process {
	for _, p := range s.parts {
		if p.role == role {
			return p.process
		}
	}
	return nil
}

// cpu is the CPU time so far of all processes, in the order of parts.
func (s *Site) cpu() ([]PartCPU, error) {
	times := make([]PartCPU, len(s.parts))
	for i, p := range s.parts {
		cpu, err := processCPU(p.process.PID())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.role, err)
		}
		times[i] = PartCPU{p.role, cpu}
	}
	return times, nil
}

// rss is how much memory of the gateway is resident, in bytes.
func (s *Site) rss() (int64, error) { return processRSS(s.part(Gateway).PID()) }

// alive says which process has ended by itself.
func (s *Site) alive() error {
	for _, p := range s.parts {
		if p, ok := p.process.(*Program); ok {
			if err := p.alive(); err != nil {
				return err
			}
		}
	}
	return nil
}

// spent takes the cost of what happened between two calls of cpu apart.
func spent(before, after []PartCPU) (gateway time.Duration, others []PartCPU) {
	for i, p := range after {
		if p.CPU -= before[i].CPU; p.Part == Gateway {
			gateway = p.CPU
		} else {
			others = append(others, p)
		}
	}
	return gateway, others
}

// Close ends the processes, the last one first: who connected before whom he connected to.
func (s *Site) Close() error {
	var errs []error
	for i := len(s.parts) - 1; i >= 0; i-- {
		errs = append(errs, s.parts[i].process.Close())
	}
	return errors.Join(errs...)
}
