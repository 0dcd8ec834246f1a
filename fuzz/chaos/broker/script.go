package broker

import "time"

// On is when a rule applies.
type On uint8

// The moments.
const (
	Connect   On = iota + 1 // a CONNECT was read
	Subscribe               // a SUBSCRIBE was read
	Publish                 // a PUBLISH was read
	Deliver                 // a message is about to be given to a subscriber
)

// Do is what a rule does.
type Do uint8

// The actions.
const (
	Refuse     Do = iota + 1 // answer with Reason: CONNACK, every code of a SUBACK, PUBACK, PUBREC (QoS 0 is dropped)
	Forget                   // Connect: no session is present, and what it had is gone
	Silent                   // answer nothing (Publish: nor give it to anyone)
	Disconnect               // DISCONNECT with Reason, then close
	Hangup                   // close without a word
	Limit                    // Connect: Receive Maximum is Number
	Wait                     // Publish, Deliver: only after Delay
	Twice                    // Deliver: two times
	Behind                   // Deliver: after the next one to the same subscriber (or after Delay, 0: 50 ms)
	Lose                     // Deliver: not at all
)

// Rule says what is done when. Rules are tried in the order in which they were added; the first
// that matches acts.
type Rule struct {
	On On
	// Client is a pattern of package path for the client id; "": any.
	Client string
	// Topic is an MQTT topic filter: of the message, or (Subscribe) the filter itself; "": any.
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
type Acting struct{}

// End switches it off.
func (a *Acting) End() {}

// Hits is how often it has acted.
func (a *Acting) Hits() uint64 { return 0 }
