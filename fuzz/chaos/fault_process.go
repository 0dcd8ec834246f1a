//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/process"
	"github.com/flowsync-go/flowsync/fuzz/chaos/tap"
)

const losesBoth = history.LosesAnswers | history.LosesRequests

// brokerFaults are done to the broker's process.
func brokerFaults() []fault {
	has := func(s *site) bool { return s.mosquitto != nil }
	return []fault{
		{Kind: alone(kind("broker.kill", theBroker, 50, 500)), effect: losesBoth, fits: has, inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
			return s.startMosquitto, s.mosquitto.Kill()
		}},
		{Kind: kind("broker.stop", theBroker, 200, 1500), effect: losesBoth, fits: has, inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
			return standStill(s.mosquitto)
		}},
	}
}

// standStill stops a process until it is healed.
func standStill(p *process.Process) (healer, error) {
	return func(context.Context) error { return p.Continue() }, p.Stop()
}

// processFaults are done to gateway and responder.
func processFaults() []fault {
	const all = history.EndsConnections | losesBoth
	return []fault{
		{Kind: kind("responder.kill", theResponder, 50, 600), effect: history.LosesRequests, inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
			return s.startResponder, s.responder.Kill()
		}},
		{Kind: kind("responder.stop", theResponder, 200, 1200), effect: history.LosesRequests, inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
			return standStill(s.responder)
		}},
		{Kind: alone(kind("gateway.kill", theGateway, 20, 300)), effect: all, inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
			return s.startGateway, s.killGateway()
		}},
		{Kind: alone(kind("gateway.drain", theGateway, 20, 300)), effect: all, inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
			if err := s.endGateway(); err != nil {
				s.o.Problem(fmt.Errorf("asked to end under load: %w", err))
			}
			return s.startGateway, nil
		}},
		{Kind: kind("gateway.stop", theGateway, 100, 900), effect: losesBoth | history.DelaysReplies, inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
			return standStill(s.current())
		}},
		{Kind: kind("gateway.files", theGateway, 400, 1200), effect: all | history.DelaysReplies, inject: exhaustFiles},
	}
}

// spareConnections are opened while the gateway has no descriptor left for them.
const spareConnections = 30

// exhaustFiles takes all spare file descriptors from the gateway, and makes it need some: its
// connections to the broker are broken, and new requesters come.
func exhaustFiles(ctx context.Context, s *site, _ uint64) (healer, error) {
	gateway := s.current()
	u, err := gateway.Usage()
	if err != nil {
		return nil, err
	}
	before, err := gateway.LimitFiles(uint64(u.Files))
	if err != nil {
		return nil, err
	}
	if s.gatewayTap != nil {
		s.gatewayTap.Break(tap.Reset, "")
	}
	var conns []net.Conn
	for range spareConnections {
		if conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", s.place.http); err == nil {
			conns = append(conns, conn)
		}
	}
	return func(context.Context) error {
		for _, c := range conns {
			_ = c.Close()
		}
		_, err := gateway.LimitFiles(before)
		if errors.Is(err, process.ErrGone) {
			return nil
		}
		return err
	}, nil
}

// machineFaults are done to what is around the processes.
func machineFaults() []fault {
	hasNetwork := func(s *site) bool { return s.net != nil }
	return []fault{
		{Kind: kind("machine.disk-full", theGateway, 400, 1500), fits: func(s *site) bool { return s.disk != nil }, inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
			return func(context.Context) error { return s.disk.empty() }, s.disk.fill()
		}},
		{Kind: kind("machine.cable-broker", gatewayNet, 200, 1200), effect: losesBoth, felt: retransmitted, fits: hasNetwork, inject: func(ctx context.Context, s *site, _ uint64) (healer, error) {
			return s.net.cut(ctx, s.net.brokerSide)
		}},
		{Kind: kind("machine.cable-requesters", theGateway, 100, 500), effect: history.EndsConnections | history.DelaysReplies, felt: retransmitted, fits: hasNetwork, inject: func(ctx context.Context, s *site, _ uint64) (healer, error) {
			return s.net.cut(ctx, s.net.requesterSide)
		}},
		{Kind: kind("machine.clock-jump", "clock", 300, 1000), effect: history.MovesClock, fits: func(s *site) bool { return s.o.Clock }, inject: jump},
	}
}

// retransmitted is how long it may take until TCP sends again what got lost while a cable was out: it
// waits twice as long each time.
const retransmitted = 3 * time.Second

// jump sets the gateway's wall clock, up to a day forwards or backwards, and back again. The one of
// the machine, and the monotonic one, are as they are.
func jump(_ context.Context, s *site, number uint64) (healer, error) {
	set := func(seconds int) error {
		if err := os.WriteFile(s.file("clock"), fmt.Append(nil, seconds), 0o600); err != nil {
			return err
		}
		return s.current().Signal(syscall.SIGUSR2)
	}
	const most = 24 * 60 * 60
	by := rand.New(rand.NewPCG(number, 0)).IntN(2*most) - most
	return func(context.Context) error { return set(0) }, set(by)
}
