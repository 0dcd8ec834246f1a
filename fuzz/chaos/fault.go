//go:build linux

package main

import (
	"context"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/schedule"
)

// fault is a kind of fault: how it is done to a site, and how it is undone.
type fault struct {
	schedule.Kind
	effect history.Effect
	// felt is how long its effect is still felt when it is undone.
	felt time.Duration
	// fits says whether a site has what it needs; nil: any has.
	fits func(*site) bool
	// inject does it, and returns what undoes it. number is for what it decides.
	inject func(ctx context.Context, s *site, number uint64) (heal healer, err error)
}

// healer undoes a fault. It returns when what was broken works again.
type healer func(ctx context.Context) error

// Targets: faults with the same one do not overlap.
const (
	gatewayNet   = "gateway's network"
	responderNet = "responder's network"
	theBroker    = "broker"
	theResponder = "responder"
	theGateway   = "gateway"
)

// kind makes the part of a fault that the schedule is about; times in milliseconds.
func kind(name, target string, shortest, longest int) schedule.Kind {
	return schedule.Kind{
		Name: name, Target: target,
		Shortest: time.Duration(shortest) * time.Millisecond, Longest: time.Duration(longest) * time.Millisecond,
	}
}

// alone makes a kind that does not overlap with any other: while the gateway begins it needs the rest.
func alone(k schedule.Kind) schedule.Kind {
	k.Alone = true
	return k
}

// allFaults are all kinds.
func allFaults() []fault {
	var all []fault
	for _, some := range [][]fault{tapFaults(), responderTapFaults(), brokerFaults(), ownBrokerFaults(), processFaults(), machineFaults()} {
		all = append(all, some...)
	}
	return all
}

// faultsOf are those that can be done to a site.
func faultsOf(s *site) (fitting []fault) {
	for _, f := range allFaults() {
		if f.fits == nil || f.fits(s) {
			fitting = append(fitting, f)
		}
	}
	return fitting
}
