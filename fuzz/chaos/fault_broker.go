//go:build linux

package main

import (
	"context"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/broker"
	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// Reason codes of MQTT 5 (section 2.4).
const (
	quotaExceeded    = 0x97
	sessionTakenOver = 0x8e
	serverBusy       = 0x89
	notAuthorized    = 0x87
)

// gatewayClients is the pattern of the gateway's client ids.
const gatewayClients = clientID + "*"

// ownBrokerFaults are what brokers do rarely: only one that does what it is told can be made to.
func ownBrokerFaults() []fault {
	var all []fault
	add := func(name string, effect history.Effect, do func(*broker.Broker), rules ...broker.Rule) {
		all = append(all, fault{
			Kind: kind("broker."+name, theBroker, 200, 900), effect: effect,
			fits: func(s *site) bool { return s.ownBroker != nil },
			inject: func(_ context.Context, s *site, _ uint64) (healer, error) {
				var acting []*broker.Acting
				for _, r := range rules {
					acting = append(acting, s.ownBroker.Act(r))
				}
				if do != nil {
					do(s.ownBroker)
				}
				return func(context.Context) error {
					for _, a := range acting {
						a.End()
					}
					return nil
				}, nil
			},
		})
	}
	hang := func(b *broker.Broker) { b.Disconnect(gatewayClients, serverBusy) }
	requests := "services/+/+/treq"
	add("acks-refused", losesBoth, nil, broker.Rule{On: broker.Publish, Client: gatewayClients, Topic: requests, Do: broker.Refuse, Reason: quotaExceeded, Rate: .3})
	add("silent", losesBoth, nil, broker.Rule{On: broker.Publish, Client: gatewayClients, Topic: requests, Do: broker.Silent, Rate: .1})
	add("slow", losesBoth, nil, broker.Rule{On: broker.Deliver, Do: broker.Wait, Delay: 80 * time.Millisecond, Rate: .2})
	add("lossy", losesBoth, nil, broker.Rule{On: broker.Deliver, Do: broker.Lose, Rate: .2})
	add("twice", losesBoth, nil, broker.Rule{On: broker.Deliver, Do: broker.Twice, Rate: .3})
	add("behind", losesBoth, nil, broker.Rule{On: broker.Deliver, Do: broker.Behind, Rate: .3})
	add("hang-up", losesBoth, nil, broker.Rule{On: broker.Publish, Client: gatewayClients, Do: broker.Hangup, Rate: .01, Count: 2})
	add("taken-over", losesBoth, func(b *broker.Broker) { b.Disconnect(gatewayClients, sessionTakenOver) })
	add("forgets", losesBoth, hang, broker.Rule{On: broker.Connect, Client: gatewayClients, Do: broker.Forget})
	add("refuses-connections", losesBoth, hang, broker.Rule{On: broker.Connect, Client: gatewayClients, Do: broker.Refuse, Reason: serverBusy})
	add("refuses-subscriptions", losesBoth, func(b *broker.Broker) { hang(b); b.Forget(gatewayClients) },
		broker.Rule{On: broker.Connect, Client: gatewayClients, Do: broker.Forget, Count: 2},
		broker.Rule{On: broker.Subscribe, Client: gatewayClients, Do: broker.Refuse, Reason: notAuthorized, Count: 2})
	add("receive-maximum", losesBoth, hang, broker.Rule{On: broker.Connect, Client: gatewayClients, Do: broker.Limit, Number: 2})
	return all
}
