//go:build linux

package main

import (
	"context"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/tap"
)

// MQTT packet types, and the topics of messages.
const (
	pubackType = 4
	treq       = "/treq"
	tres       = "/tres"
)

func hasGatewayTap(s *site) bool { return s.gatewayTap != nil }

// tapFaults are done to the network between gateway and broker.
func tapFaults() []fault {
	var all []fault
	add := func(name string, shortest, longest int, effect history.Effect, f tap.Fault) {
		all = append(all, fault{
			Kind: kind("net."+name, gatewayNet, shortest, longest), effect: effect, fits: hasGatewayTap,
			inject: func(_ context.Context, s *site, number uint64) (healer, error) {
				return inject(s.gatewayTap, vary(f, number)), nil
			},
		})
	}
	const (
		nothing = history.Effect(0)
		loses   = history.LosesAnswers | history.LosesRequests
	)
	add("drop-requests", 300, 900, history.LosesRequests, tap.Fault{Kind: tap.Drop, Dir: tap.ToBroker, Topic: treq, Rate: .3})
	add("drop-answers", 300, 900, nothing, tap.Fault{Kind: tap.Drop, Dir: tap.ToClient, Topic: tres, Rate: .3})
	add("drop-acks", 300, 900, nothing, tap.Fault{Kind: tap.Drop, Dir: tap.ToClient, Type: pubackType, Rate: .2, Count: 50})
	add("delay", 300, 900, nothing, tap.Fault{Kind: tap.Delay, Rate: .02, Delay: 20 * time.Millisecond, Jitter: 50 * time.Millisecond})
	add("duplicate-requests", 300, 900, nothing, tap.Fault{Kind: tap.Duplicate, Dir: tap.ToBroker, Topic: treq, Rate: .3})
	add("duplicate-answers", 300, 900, nothing, tap.Fault{Kind: tap.Duplicate, Dir: tap.ToClient, Topic: tres, Rate: .5})
	add("reorder-requests", 300, 900, nothing, tap.Fault{Kind: tap.Reorder, Dir: tap.ToBroker, Topic: treq, Rate: .3})
	add("reorder-answers", 300, 900, nothing, tap.Fault{Kind: tap.Reorder, Dir: tap.ToClient, Topic: tres, Rate: .3})
	add("split", 300, 700, loses, tap.Fault{Kind: tap.Split, Rate: .1, Bytes: 7})
	add("corrupt-answers", 300, 900, nothing, tap.Fault{Kind: tap.CorruptPayload, Dir: tap.ToClient, Topic: tres, Rate: .2})
	add("corrupt-requests", 300, 900, history.LosesRequests, tap.Fault{Kind: tap.CorruptPayload, Dir: tap.ToBroker, Topic: treq, Rate: .1})
	add("corrupt-framing", 200, 600, loses, tap.Fault{Kind: tap.CorruptFraming, Rate: .02, Count: 3})
	add("drop-bytes", 200, 600, loses, tap.Fault{Kind: tap.DropBytes, Rate: .02, Count: 2})
	add("cut-short", 200, 600, loses, tap.Fault{Kind: tap.CutShort, Rate: .05, Count: 2})
	add("throttle", 400, 1200, loses, tap.Fault{Kind: tap.Throttle, Bytes: 40_000})
	add("stall", 300, 1200, loses, tap.Fault{Kind: tap.Stall})
	add("half-open", 400, 2600, loses, tap.Fault{Kind: tap.Swallow})
	add("acks-refused", 300, 900, history.LosesRequests, tap.Fault{Kind: tap.RewriteAck, Dir: tap.ToClient, Rate: .5, Reason: 0x97}) // quota exceeded
	add("acks-nobody", 300, 900, nothing, tap.Fault{Kind: tap.RewriteAck, Dir: tap.ToClient, Rate: .5, Reason: 0x10})

	breaks := func(name string, k tap.Kind, also tap.Kind) {
		all = append(all, fault{
			Kind: kind("net."+name, gatewayNet, 100, 700), effect: loses, fits: hasGatewayTap,
			inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
				heal := func(context.Context) error { return nil }
				if also != 0 {
					heal = inject(s.gatewayTap, tap.Fault{Kind: also})
				}
				s.gatewayTap.Break(k, "")
				return heal, nil
			},
		})
	}
	breaks("reset", tap.Reset, 0)
	breaks("half-close", tap.HalfClose, 0)
	breaks("refuse", tap.Reset, tap.Refuse)
	breaks("slam", tap.Reset, tap.Slam)
	return all
}

// vary restricts some faults that are done to whole connections to one direction.
func vary(f tap.Fault, number uint64) tap.Fault {
	if f.Kind == tap.Stall || f.Kind == tap.Swallow || f.Kind == tap.Throttle {
		f.Dir = []tap.Dir{tap.Both, tap.ToBroker, tap.ToClient}[number%3]
	}
	return f
}

// inject switches a fault of a tap on.
func inject(t *tap.Tap, f tap.Fault) healer {
	on := t.Inject(f)
	return func(context.Context) error {
		on.End()
		return nil
	}
}

// responderTapFaults are done to the network between broker and responder.
func responderTapFaults() []fault {
	var all []fault
	add := func(name string, shortest, longest int, f tap.Fault) {
		all = append(all, fault{
			Kind: kind("responder-net."+name, responderNet, shortest, longest), effect: history.LosesRequests,
			inject: func(_ context.Context, s *site, number uint64) (healer, error) {
				if f.Kind == tap.Reset {
					s.responderTap.Break(tap.Reset, "")
				}
				return inject(s.responderTap, vary(f, number)), nil
			},
		})
	}
	add("drop", 300, 900, tap.Fault{Kind: tap.Drop, Rate: .2})
	add("delay", 300, 900, tap.Fault{Kind: tap.Delay, Rate: .02, Delay: 20 * time.Millisecond, Jitter: 100 * time.Millisecond})
	add("duplicate", 300, 900, tap.Fault{Kind: tap.Duplicate, Topic: tres, Rate: .5})
	add("reorder", 300, 900, tap.Fault{Kind: tap.Reorder, Rate: .3})
	add("stall", 300, 900, tap.Fault{Kind: tap.Stall})
	add("reset", 100, 300, tap.Fault{Kind: tap.Reset, Rate: .001, Count: 2})
	return all
}
