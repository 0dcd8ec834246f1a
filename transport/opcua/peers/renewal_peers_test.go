//go:build peers

package peers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

// A connection breaks; the client takes up its session over a new one, and its subscription tells
// what has happened meanwhile. What was held over the old one is gone.
func TestReconnection(t *testing.T) {
	for _, s := range []opcua.Security{none, secured[1]} {
		t.Run(s.Policy, func(t *testing.T) {
			p := newPlant(t, offering(none, secured[1]))
			p.trust(trustedPKI())
			requests := p.hold("line.patient")
			c := p.connect(dial{Policy: s.Policy, Mode: s.Mode, Reconnect: true})
			c.do("subscribe", map[string]any{"interval": 50, "keepAliveCount": 3, "nodes": []string{node("counter")}}, nil)
			first := c.next("changed")
			require.EqualValues(t, 7, first.Value.Value.Value)
			held := c.startCall("line.patient", int32s(1))
			receive(t, requests)

			c.do("tear", nil, nil)
			p.provide("counter", "8")
			require.Equal(t, core.Cancelled, receive(t, p.ended).outcome)
			require.Error(t, c.d.finish(held.done, nil))
			missed := c.next("changed")
			require.EqualValues(t, 8, missed.Value.Value.Value)
			require.Equal(t, first.Session, missed.Session, "it is not a new session")
			require.Equal(t, first.SubscriptionID, missed.SubscriptionID, "it is not a new subscription")
			require.Equal(t, "Good", c.read("fixed").StatusCode)
			p.provide("counter", "9")
			require.EqualValues(t, 9, c.next("changed").Value.Value.Value)
		})
	}
}

// A token that is renewed every 3 s costs no call.
func TestRenewal(t *testing.T) {
	t.Parallel()
	for _, s := range []struct{ policy, mode string }{{"None", "None"}, {"Basic256Sha256", "SignAndEncrypt"}} {
		t.Run(s.policy, func(t *testing.T) {
			t.Parallel()
			p := newPlant(t, offering(none, secured[1]))
			p.trust(trustedPKI())
			p.respond("line.slow", echo)
			c := p.connect(dial{Policy: s.policy, Mode: s.mode, TokenLifetime: 4 * time.Second})
			requests := p.hold("line.patient")
			first := calls(methodCall("line.patient", int32s(77)))
			first.Hint = time.Minute
			held := c.send(first) // from the first token to the last
			const together = 8
			n, renewals := 0, 0
			for began := time.Now(); renewals < 4; {
				require.Less(t, time.Since(began), 2*patience, "the client does not renew its token")
				var all []*sent
				for range together {
					all = append(all, c.startCall("line.slow", int32s(n)))
					n++
				}
				for i, s := range all {
					got := s.called()[0]
					require.Equal(t, "Good", got.StatusCode)
					sameJSON(t, []variant{int32s(n - together + i)}, got.OutputArguments)
				}
				renewals += c.renewed()
			}
			request := receive(t, requests)
			require.NoError(t, request.Answer(request.Value))
			sameJSON(t, []variant{int32s(77)}, held.called()[0].OutputArguments)
			t.Logf("%d calls over %d renewals", n, renewals)
		})
	}
}

// renewed is how many renewals there were since it was last asked.
func (c *client) renewed() (n int) {
	for {
		select {
		case e := <-c.events:
			if e.Event == "renewed" {
				n++
			}
		default:
			return n
		}
	}
}
