//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/planted"
	"github.com/flowsync-go/flowsync/fuzz/chaos/process"
)

// drain is how long the gateway may finish what it holds when it is asked to end.
const drain = 3 * time.Second

// clientID is how the gateway is called at the broker.
const clientID = "chaos-gateway"

// current is the gateway's process.
func (s *site) current() *process.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gateway
}

// gatewayArgs are those of its process.
func (s *site) gatewayArgs() []string {
	args := []string{
		"run", s.file("plant.yaml"), "--http", s.place.http, "--opcua", s.place.opcua, "--admin", s.place.admin,
		"--state", s.state, "--drain", drain.String(), "--log-format", "text", "--max-in-flight", "20000",
	}
	if s.o.Broker == embedded {
		args = append(args, "--embedded", s.place.embedded)
	} else {
		args = append(args, "--broker", "mqtt://"+s.gatewayTap.Addr(), "--mqtt-client-id", clientID, "--mqtt-keep-alive", "2s")
	}
	if s.net != nil {
		args = append(args, "--insecure") // it listens on an address that only this machine can reach
	}
	return append(args, s.o.Args...)
}

// startGateway begins a life of the gateway.
func (s *site) startGateway(ctx context.Context) error {
	spec := process.Spec{
		Name: "gateway", Path: s.o.Gateway, Args: s.gatewayArgs(), Log: s.log, Patience: patience,
		Ready: func(line string) bool { return strings.HasPrefix(line, "Stop with") },
		Env:   append([]string{planted.ClockEnv + "=" + s.file("clock")}, s.o.Env...),
	}
	if s.net != nil {
		spec.Path, spec.Args = s.net.within(spec.Path, spec.Args)
	}
	number := s.life.Add(1)
	s.history().Life(history.Life{Number: number, State: 1})
	p, err := process.Start(ctx, spec)
	if err != nil {
		s.history().LifeEnded(history.LifeEnded{Number: number})
		return err
	}
	s.mu.Lock()
	s.gateway = p
	s.mu.Unlock()
	return nil
}

// killGateway ends its life without warning.
func (s *site) killGateway() error {
	err := s.current().Kill()
	s.history().LifeEnded(history.LifeEnded{Number: s.life.Load()})
	return err
}

// endGateway asks it to end, and says how it did.
func (s *site) endGateway() error {
	err := s.current().End(drain + patience)
	s.history().LifeEnded(history.LifeEnded{Number: s.life.Load(), Drained: err == nil})
	return err
}

// alive is an error if a process has ended that nobody has ended.
func (s *site) alive() error {
	var errs []error
	for name, p := range map[string]*process.Process{"gateway": s.current(), "broker": s.mosquitto, "responder": s.responder} {
		if p == nil {
			continue
		}
		select {
		case <-p.Done():
			errs = append(errs, fmt.Errorf("%s has ended by itself: %w\n%s", name, p.Err(), p.Tail()))
		default:
		}
	}
	return errors.Join(errs...)
}

// startMosquitto starts the broker without the limits that would make it drop messages.
func (s *site) startMosquitto(ctx context.Context) (err error) {
	host, port, _ := strings.Cut(s.place.broker, ":")
	config := fmt.Sprintf(`listener %s %s
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
`, port, host)
	if os.Geteuid() == 0 {
		config += "user root\n" // one that changes its user does not die with this process any more
	}
	if err := os.WriteFile(s.file("mosquitto.conf"), []byte(config), 0o600); err != nil {
		return err
	}
	s.mosquitto, err = process.Start(ctx, process.Spec{
		Name: "mosquitto", Path: program("mosquitto"), Args: []string{"-c", s.file("mosquitto.conf")}, Patience: patience,
		Ready: func(line string) bool { return strings.Contains(line, " running") },
	})
	return err
}

// program finds a program, also where Debian puts those for administrators.
func program(name string) string {
	for _, folder := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && info.Mode()&0o111 != 0 && !info.IsDir() {
			return file
		}
	}
	return name
}

// startResponder starts the responder's process, and returns when it has subscribed.
func (s *site) startResponder(ctx context.Context) (err error) {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	s.responder, err = process.Start(ctx, process.Spec{
		Name: "responder", Path: self, Patience: patience,
		Env:   []string{childEnv + "=" + s.childOptions()},
		Ready: func(line string) bool { return line == connectedLine },
	})
	return err
}

// excerpt is the end of the gateway's log.
func (s *site) excerpt() string {
	text, err := os.ReadFile(s.file("gateway.log"))
	if err != nil {
		return err.Error()
	}
	const most = 4000
	text = text[max(0, len(text)-most):]
	if _, rest, ok := bytes.Cut(text, []byte("\n")); ok {
		text = rest
	}
	return string(text)
}
