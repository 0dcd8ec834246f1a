package broker

import (
	"path"
	"slices"
	"sync/atomic"
	"time"
)

// On is when a rule applies.
type On uint8

// The moments.
const (
	Connect   On = iota + 1 // a CONNECT was read
	Subscribe               // a SUBSCRIBE was read, once for each filter
	Publish                 // a PUBLISH was read
	Deliver                 // a message is about to be queued for a subscriber
)

// Do is what a rule does.
type Do uint8

// The actions.
const (
	Refuse     Do = iota + 1 // answer with Reason: CONNACK, the code in SUBACK, PUBACK, PUBREC; QoS 0 is dropped
	Forget                   // Connect: no session is present, and what it had is gone
	Silent                   // answer nothing (Publish: nor give it to anybody)
	Disconnect               // DISCONNECT with Reason, then close
	Hangup                   // close without a word
	Limit                    // Connect: the Receive Maximum is Number
	Wait                     // Publish, Deliver: only after Delay
	Twice                    // Deliver: two times
	Behind                   // Deliver: after the next one to the same subscriber, or after Delay (0: 50 ms)
	Lose                     // Deliver: not at all
)

// Rule says what is done when. Rules are tried in the order in which they were added; the first
// that matches acts.
type Rule struct {
	On On
	// Client is a pattern of package path for the client id; "": any. Deliver: the subscriber's.
	Client string
	// Topic is a topic filter for the message's topic, or (Subscribe) the filter itself; "": any.
	Topic string
	Do    Do
	// Rate is how many of the matches are hit, 0 < Rate <= 1; 0: all.
	Rate float64
	// Count is how many are hit at most; 0: no limit.
	Count  int
	Reason byte
	Number uint16
	Delay  time.Duration
}

// Acting is a rule that is switched on.
type Acting struct {
	Rule
	broker *Broker
	hits   atomic.Uint64
}

// Act switches a rule on. It panics if the client pattern is none, which is a mistake of the test.
func (b *Broker) Act(r Rule) *Acting {
	if _, err := path.Match(r.Client, ""); err != nil {
		panic("broker: " + err.Error() + ": " + r.Client)
	}
	a := &Acting{Rule: r, broker: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.script = append(b.script, a)
	return a
}

// End switches it off. It may be called more than once.
func (a *Acting) End() {
	a.broker.mu.Lock()
	defer a.broker.mu.Unlock()
	a.broker.script = slices.DeleteFunc(a.broker.script, func(other *Acting) bool { return other == a })
}

// Hits is how often it has acted.
func (a *Acting) Hits() uint64 { return a.hits.Load() }

// actLocked finds the rule that acts now; what it does is 0 if there is none.
func (b *Broker) actLocked(on On, client, topic string) Rule {
	for _, a := range b.script {
		if a.On != on || a.Count > 0 && a.hits.Load() >= uint64(a.Count) || !named(a.Client, client) {
			continue
		}
		if a.Topic != "" && (on == Subscribe && a.Topic != topic || on != Subscribe && !match(a.Topic, topic)) {
			continue
		}
		if a.Rate != 0 && b.rand.Float64() >= a.Rate {
			continue
		}
		a.hits.Add(1)
		return a.Rule
	}
	return Rule{}
}

// named says whether a client id is one that a pattern means.
func named(pattern, client string) bool {
	if pattern == "" {
		return true
	}
	ok, _ := path.Match(pattern, client) // Act has checked the pattern
	return ok
}
