package core

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// The limits of a node's timeout.
const (
	DefaultTimeout = 2 * time.Second
	MinTimeout     = time.Millisecond
	MaxTimeout     = time.Hour
)

// Options of an engine. The zero value is usable.
type Options struct {
	// MaxInFlight is how many transactions may be held in all; above it they are shed. Where the
	// machine, the bus or the responders cannot keep up, it should be twice the answers a second
	// times the seconds one takes at that rate. 0: 100 000. At most 16 777 215.
	MaxInFlight int
	// MaxHeldBytes bounds the sum of the values of held transactions, in bytes; above it they
	// are shed. 0: 1 GiB.
	MaxHeldBytes int64
	// MaxLate is how late deadlines may come before new transactions are shed. When they have
	// come later than this for as long again, there is more to do than the machine can, and what
	// it takes on now it would not end in time either. 0: 50 ms. Negative: nothing is shed for
	// that. See [Engine.Late].
	MaxLate time.Duration
	// Shards is how many locks the table is spread over, a power of two up to 256.
	// 0: four for each CPU, at most 64.
	Shards int
	// Instance tells the ids of this gateway from those of others on the same broker.
	// 0: a random one.
	Instance uint16
	// Observer hears of every end and every stray answer. nil: nobody does.
	Observer Observer
}

// NodeOptions describe one node.
type NodeOptions struct {
	// Name labels the node in logs and metrics. Required, unique in the engine.
	Name string
	// Topic is the node topic: requests go out on Topic/treq, answers come in on Topic/tres.
	// Required, unique in the engine.
	Topic string
	// Timeout is how long a transaction may be held: 1 ms to 1 h. 0: 2 s.
	Timeout time.Duration
	// MaxInFlight is how many transactions of this node may be held; above it they are shed.
	// 0: no limit of its own.
	MaxInFlight int
	// QoS (0, 1, 2) and Retain are how the bus publishes the request.
	QoS    byte
	Retain bool
	// Serial publishes one request at a time: the next one, in the order in which they began, when
	// the one before has ended. Who waits past his own deadline ends as shed. A requester who goes
	// away after his request was sent does not let the next one out: an answer to it does, or its
	// deadline. Those who wait are held, so MaxInFlight counts them, and the values of their
	// requests are kept.
	Serial bool
	// MaxExtend is how much time a responder may add in all to the deadline of a transaction, by
	// answers like {"id":"…","extend":1500} with whole milliseconds, written as any JSON number. It
	// never goes beyond the requester's own limit ([Call]). At most an hour. 0: none.
	MaxExtend time.Duration
	// FailFast ends a request as no_subscriber when the broker says that nobody listens. It needs
	// QoS 1.
	FailFast bool
	// Wait lets requests that come while the bus has no connection wait for one until their
	// deadline, instead of ending as not_published.
	Wait bool
	// Inspect, if set, sees a reply with a value or an error before it completes a transaction,
	// and may change it: replace Value or Error, set Extra or Problem. An error ends the
	// transaction as bad_response, or as rule_failed if it wraps ErrRuleFailed. It runs outside
	// all locks on the goroutine that brought the answer, must not block, and may be called for
	// an answer that then turns out to be late. The reply is its only during the call.
	Inspect func(*Reply) error
}

func (o *Options) complete(cpus int) error {
	var errs []error
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 100_000
	}
	if o.MaxInFlight < 0 || o.MaxInFlight > maxSlots {
		errs = append(errs, fmt.Errorf("core: MaxInFlight is %d, want 1 to %d", o.MaxInFlight, maxSlots))
	}
	if o.MaxHeldBytes == 0 {
		o.MaxHeldBytes = 1 << 30
	}
	if o.MaxHeldBytes < 0 {
		errs = append(errs, fmt.Errorf("core: MaxHeldBytes is %d, want a positive number", o.MaxHeldBytes))
	}
	if o.MaxLate == 0 {
		o.MaxLate = 50 * time.Millisecond
	}
	if o.Shards == 0 {
		o.Shards = 1
		for o.Shards < 4*cpus && o.Shards < 64 {
			o.Shards *= 2
		}
	}
	if o.Shards < 1 || o.Shards > maxShards || o.Shards&(o.Shards-1) != 0 {
		errs = append(errs, fmt.Errorf("core: Shards is %d, want a power of two from 1 to %d", o.Shards, maxShards))
	}
	return errors.Join(errs...)
}

func (o *NodeOptions) complete() error {
	var errs []error
	if o.Name == "" {
		errs = append(errs, errors.New("core: a node needs a Name"))
	}
	if o.Topic == "" || !utf8.ValidString(o.Topic) || len(o.Topic) > 65535-len("/treq") {
		errs = append(errs, fmt.Errorf("core: node %q needs a Topic of valid UTF-8, at most %d bytes", o.Name, 65535-len("/treq")))
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Timeout < MinTimeout || o.Timeout > MaxTimeout {
		errs = append(errs, fmt.Errorf("core: node %q has a Timeout of %v, want %v to %v", o.Name, o.Timeout, MinTimeout, MaxTimeout))
	}
	if o.MaxInFlight < 0 {
		errs = append(errs, fmt.Errorf("core: node %q has a MaxInFlight of %d, want 0 or more", o.Name, o.MaxInFlight))
	}
	if o.QoS > 2 {
		errs = append(errs, fmt.Errorf("core: node %q has QoS %d, want 0, 1 or 2", o.Name, o.QoS))
	}
	if o.MaxExtend < 0 || o.MaxExtend > MaxTimeout {
		errs = append(errs, fmt.Errorf("core: node %q has a MaxExtend of %v, want 0 to %v", o.Name, o.MaxExtend, MaxTimeout))
	}
	if o.FailFast && o.QoS != 1 {
		errs = append(errs, fmt.Errorf("core: node %q has FailFast with QoS %d, want 1: only then the broker says that nobody listens", o.Name, o.QoS))
	}
	return errors.Join(errs...)
}
