//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/flowsync-go/flowsync/fuzz/chaos/process"
)

// network is a network namespace for the gateway, with one card to the broker and one to its
// requesters. It is there as long as a process is in it, so that nothing is left behind.
type network struct {
	holder                    *process.Process
	brokerSide, requesterSide card
}

// card is a pair of network devices: one end is in the namespace.
type card struct {
	device, inner   string // the ends
	outside, inside string // their addresses
}

// networks is how many namespaces this process has made.
var networks atomic.Uint32

// openNetwork makes the namespace. Only root may.
func openNetwork(ctx context.Context) (*network, error) {
	holder, err := process.Start(ctx, process.Spec{
		Name: "holder of the network namespace", Path: program("sleep"), Args: []string{"infinity"}, NewNetwork: true,
	})
	if err != nil {
		return nil, fmt.Errorf("making a network namespace (which takes root; -network=false does without): %w", err)
	}
	n := &network{holder: holder}
	// 198.18.0.0/15 is for benchmarks of network devices (RFC 2544): no other network has it.
	number := (os.Getpid()*4 + int(networks.Add(1))) & 0x3fff // the one before may not be quite gone
	base := func(side int) string {
		return fmt.Sprintf("198.%d.%d.", 18+side, number>>6)
	}
	host := number & 0x3f * 4
	n.brokerSide = card{"fsb" + strconv.Itoa(number), "eth0", fmt.Sprint(base(0), host+1), fmt.Sprint(base(0), host+2)}
	n.requesterSide = card{"fsr" + strconv.Itoa(number), "eth1", fmt.Sprint(base(1), host+1), fmt.Sprint(base(1), host+2)}
	err = n.inside(ctx, "link", "set", "lo", "up")
	for _, c := range []card{n.brokerSide, n.requesterSide} {
		err = errors.Join(err, n.plug(ctx, c))
	}
	if err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// plug makes a card.
func (n *network) plug(ctx context.Context, c card) error {
	return errors.Join(
		ip(ctx, "link", "add", c.device, "type", "veth", "peer", "name", c.inner, "netns", strconv.Itoa(n.holder.PID())),
		ip(ctx, "addr", "add", c.outside+"/30", "dev", c.device),
		ip(ctx, "link", "set", c.device, "up"),
		n.inside(ctx, "addr", "add", c.inside+"/30", "dev", c.inner),
		n.inside(ctx, "link", "set", c.inner, "up"),
	)
}

// within makes a command that runs in the namespace, as the process that is started itself.
func (n *network) within(path string, args []string) (string, []string) {
	return program("nsenter"), append([]string{"-t", strconv.Itoa(n.holder.PID()), "-n", "--", path}, args...)
}

// cut takes a cable out. It is the inner end that goes down: without the outer one the machine
// would look for the addresses elsewhere, beyond its own network.
func (n *network) cut(ctx context.Context, c card) (healer, error) {
	join := func(ctx context.Context) error { return n.inside(ctx, "link", "set", c.inner, "up") }
	return join, n.inside(ctx, "link", "set", c.inner, "down")
}

// Close ends the namespace, with its cards.
func (n *network) Close() error { return n.holder.Kill() }

func (n *network) inside(ctx context.Context, args ...string) error {
	path, args := n.within(program("ip"), args)
	return run(ctx, path, args)
}

func ip(ctx context.Context, args ...string) error { return run(ctx, program("ip"), args) }

// run runs a program that takes no time.
func run(ctx context.Context, path string, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", path, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
