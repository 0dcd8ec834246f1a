//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/planted"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
)

// settings are what a campaign is told.
type settings struct {
	gateway      string
	broker       string
	seed         uint64
	transactions uint64
	faults       int
	rate         float64
	duration     time.Duration
	quiet        time.Duration
	connections  int
	sessions     int
	only         string
	network      bool
	disk         bool
	clock        bool
	calm         bool
	keep         string

	folder string // of all files; removed in the end
}

// readSettings reads the flags.
func readSettings(args []string) (*settings, error) {
	var s settings
	root := os.Geteuid() == 0
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.StringVar(&s.gateway, "gateway", "", "`program` to test, instead of the flowsync that is built from the source")
	f.StringVar(&s.broker, "broker", "all", "mosquitto, own or embedded; all: one after the other")
	f.Uint64Var(&s.seed, "seed", 0, "what requests and faults are made of; 0: one that is drawn")
	f.Uint64Var(&s.transactions, "transactions", 20_000, "how many requests, at least")
	f.IntVar(&s.faults, "faults", 30, "how many faults")
	f.Float64Var(&s.rate, "rate", 3000, "requests a second while all is well, at most")
	f.DurationVar(&s.duration, "duration", 15*time.Minute, "the longest time that each broker's part may take")
	f.DurationVar(&s.quiet, "quiet", 600*time.Millisecond, "how long it is quiet between faults, on average")
	f.IntVar(&s.connections, "connections", 300, "of HTTP")
	f.IntVar(&s.sessions, "sessions", 4, "of OPC UA")
	f.StringVar(&s.only, "only", "", "faults whose names contain one of these `texts`, which commas separate")
	f.BoolVar(&s.network, "network", root, "run the gateway in a network namespace, whose cables can be taken out (takes root)")
	f.BoolVar(&s.disk, "disk", root, "make the state directory a file system that can be full (takes root)")
	f.BoolVar(&s.clock, "clock", false, "build the gateway with a wall clock that jumps (compiles the standard library, which takes a minute)")
	f.BoolVar(&s.calm, "calm", false, "no requester leaves, and responders answer in time")
	f.StringVar(&s.keep, "keep", "", "`folder` for the history and the gateway's log if something was found; empty: a temporary one")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("%q is no flag", f.Arg(0))
	case s.clock && s.gateway != "":
		return nil, errors.New("-clock builds a gateway: it does not go with -gateway")
	case s.broker != "all" && s.broker != mosquitto && s.broker != own && s.broker != embedded:
		return nil, fmt.Errorf("there is no broker %q: want mosquitto, own, embedded or all", s.broker)
	case len(chosen(allFaults(), s.only)) == 0:
		return nil, fmt.Errorf("there is no fault whose name contains one of %q", s.only)
	case s.faults < 0 || s.rate <= 0 || s.connections < 1 || s.sessions < 1:
		return nil, errors.New("-faults must not be negative, -rate, -connections and -sessions must be positive")
	}
	if s.seed == 0 {
		s.seed = 1 + rand.Uint64N(1_000_000_000)
	}
	return &s, nil
}

// mix is what requests are like.
func (s *settings) mix() requester.Mix {
	if s.calm {
		return requester.Mix{Odd: 9}
	}
	return requester.Mix{Odd: 9, Failing: 3, Leaving: 2}
}

// prepare makes the folder, and builds the gateway.
func (s *settings) prepare() (err error) {
	if s.folder, err = os.MkdirTemp("", "flowsync-chaos-"); err != nil {
		return err
	}
	return s.prepareGateway()
}

// prepareGateway builds the gateway, unless there is one.
func (s *settings) prepareGateway() error {
	if s.gateway != "" {
		return nil
	}
	s.gateway = filepath.Join(s.folder, "flowsync")
	if !s.clock {
		return build(s.gateway)
	}
	note("building a gateway whose wall clock can be set")
	return buildWith(planted.WriteClock, s.folder, s.gateway)
}

// buildWith builds a gateway that is not what is in the source, see package planted.
func buildWith(write func(root, folder string) (string, error), folder, to string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	overlay, err := write(root, filepath.Join(folder, "overlay"))
	if err != nil {
		return err
	}
	return build(to, "-overlay", overlay)
}

// build builds the gateway from the source around this program.
func build(to string, flags ...string) error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	command := exec.Command("go", append(append([]string{"build", "-o", to}, flags...), "./cmd/flowsync")...)
	command.Dir = root
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building flowsync: %w\n%s", err, out)
	}
	return nil
}

// moduleRoot is the folder of the module that the working directory is in.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("where the module is: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
