//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/broker"
	"github.com/flowsync-go/flowsync/fuzz/chaos/process"
	"github.com/flowsync-go/flowsync/fuzz/chaos/tap"
)

// The brokers between gateway and responders.
const (
	mosquitto = "mosquitto" // a process
	own       = "own"       // package broker, in this process
	embedded  = "embedded"  // the one in the gateway's process
)

// patience is how long anything may take that should take no time: processes get ready, requests of
// a client give up.
const patience = 20 * time.Second

// siteOptions say what a site is made of.
type siteOptions struct {
	Gateway string // the program
	Broker  string
	Seed    uint64
	Folder  string                           // for files; of the caller
	Network bool                             // the gateway runs in a network namespace of its own
	Disk    bool                             // the state directory is a small file system of its own
	Blind   bool                             // what the taps see is not recorded
	Clock   bool                             // the program has a clock that can be set
	Args    []string                         // of the gateway, besides its own
	Env     []string                         // likewise
	Note    func(format string, args ...any) // of what happens, for people
	Problem func(error)                      // something is not as it must be; set by the phase
}

// site is a plant that runs: gateway, broker, responder, and a tap on each side of the broker.
type site struct {
	o         siteOptions
	recording atomic.Pointer[recording]
	life      atomic.Uint32

	place placement
	net   *network // nil: everything is on the loopback
	disk  *disk    // nil: the state directory is an ordinary one
	state string   // the state directory
	log   *os.File // of the gateway

	gatewayTap, responderTap *tap.Tap // gatewayTap nil: the broker is in the gateway
	ownBroker                *broker.Broker
	mosquitto, responder     *process.Process

	mu      sync.Mutex // guards gateway
	gateway *process.Process
}

// placement is where the parts listen, host:port.
type placement struct {
	http, opcua, admin, embedded string // the gateway's
	broker                       string
	tapHost                      string // where the gateway's tap listens
}

// openSite starts everything. What was started is ended again if it fails.
func openSite(ctx context.Context, o siteOptions) (s *site, err error) {
	s = &site{o: o}
	s.record()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for _, step := range []func(context.Context) error{
		s.openFiles, s.openNetwork, s.openBroker, s.openTaps, s.startGateway, s.openResponderTap, s.startResponder,
	} {
		if err := step(ctx); err != nil {
			return s, err
		}
	}
	return s, nil
}

func (s *site) openFiles(context.Context) (err error) {
	if err := os.MkdirAll(s.o.Folder, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(s.file("plant.yaml"), []byte(plant), 0o600); err != nil {
		return err
	}
	s.state = s.file("state")
	if err := os.Mkdir(s.state, 0o700); err != nil {
		return err
	}
	if s.o.Disk {
		if s.disk, err = mountDisk(s.state); err != nil {
			return err
		}
	}
	s.log, err = os.Create(s.file("gateway.log"))
	return err
}

func (s *site) file(name string) string { return filepath.Join(s.o.Folder, name) }

// openNetwork decides where everybody listens.
func (s *site) openNetwork(ctx context.Context) (err error) {
	s.place.tapHost = "127.0.0.1"
	if s.o.Network {
		if s.net, err = openNetwork(ctx); err != nil {
			return err
		}
		s.place.tapHost = s.net.brokerSide.outside
		inside := s.net.requesterSide.inside
		s.place.http, s.place.opcua, s.place.admin = inside+":8080", inside+":4841", inside+":9090"
		s.place.embedded = s.net.brokerSide.inside + ":1883"
	} else {
		for _, to := range []*string{&s.place.http, &s.place.opcua, &s.place.admin, &s.place.embedded} {
			if *to, err = freeAddress(); err != nil {
				return err
			}
		}
	}
	s.place.broker, err = freeAddress()
	return err
}

// freeAddress finds a port of the loopback that is free now, for whoever must have the same one each
// time it is started.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

func (s *site) openBroker(ctx context.Context) (err error) {
	switch s.o.Broker {
	case mosquitto:
		return s.startMosquitto(ctx)
	case own:
		s.ownBroker, err = broker.New(broker.Options{Listen: s.place.broker, Rand: s.random(1), NoSubscriberCode: true})
		return err
	case embedded:
		s.place.broker = s.place.embedded
		return nil
	}
	return fmt.Errorf("there is no broker %q: want %s, %s or %s", s.o.Broker, mosquitto, own, embedded)
}

// random is a source of its own for each purpose.
func (s *site) random(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(s.o.Seed, purpose)) }

// openTaps opens the one between gateway and broker.
func (s *site) openTaps(context.Context) (err error) {
	if s.o.Broker == embedded {
		return nil
	}
	s.gatewayTap, err = tap.New(tap.Options{
		Listen: s.place.tapHost + ":0", Broker: s.place.broker, Rand: s.random(2),
		Hooks: s.hooks(),
	})
	return err
}

// openResponderTap opens the one between broker and responder. What gets to the responder is seen
// there.
func (s *site) openResponderTap(context.Context) (err error) {
	s.responderTap, err = tap.New(tap.Options{
		Broker: s.place.broker, Rand: s.random(3), Hooks: tap.Hooks{Forwarding: s.delivered},
	})
	return err
}

// close ends everything, the last first.
func (s *site) close() error {
	var errs []error
	for _, p := range []*process.Process{s.responder, s.current(), s.mosquitto} {
		if p != nil {
			errs = append(errs, p.Kill())
		}
	}
	for _, c := range []io.Closer{closer(s.gatewayTap), closer(s.responderTap), closer(s.ownBroker), closer(s.log), closer(s.net), closer(s.disk)} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// closer makes a nil pointer a nil interface.
func closer[T any, P interface {
	*T
	io.Closer
}](p P) io.Closer {
	if p == nil {
		return nil
	}
	return p
}
