package history

import "time"

// ID is a transaction's id as it travels on the wire.
type ID [16]byte

// The doors through which a requester asks.
const (
	HTTP  = "http"
	OPCUA = "opcua"
)

// Stamp is what every event begins with. The history sets it when it records the event.
type Stamp struct {
	Seq uint64        // the place in the one order of all events; from 1
	At  time.Duration // since the history began, monotonic
}

// Life says that a gateway process began. Record it before any event that names it.
type Life struct {
	Stamp
	Number uint32 // from 1
	// State tells which state directory it works on: lives with the same number share their keys.
	// 0: it has none, its keys die with it.
	State uint32
}

// LifeEnded says that a gateway process is gone. Record it when it is, not when it is told to go.
type LifeEnded struct {
	Stamp
	Number  uint32
	Drained bool // it was asked to stop, and ended by itself; otherwise it was killed or crashed
}

// Asked is a request. Record it before the requester writes its first byte.
type Asked struct {
	Stamp         // Seq is what Replied.Ask refers to
	Marker uint64 // travels in the value; the same for all requests that repeat one key
	Door   string
	Node   string
	Key    string // idempotency key; "": none
	User   string // whose key it is
	// Limit is how long the gateway may hold it because the requester said so, after what the
	// door subtracts. 0: the requester did not say.
	Limit time.Duration
	Life  uint32 // that of the gateway, as far as the requester can know; 0: not known
}

// Way says how a request came to its end for the requester.
type Way uint8

// The ways.
const (
	Whole     Way = iota + 1 // a whole reply was read
	Ended                    // the connection ended, not by the requester's doing
	Left                     // the requester went away on purpose
	Unreached                // there was no connection: nothing was sent
	Silent                   // nothing came until long after the deadline
	Other                    // a whole reply that is none of a transaction (400, 413, a service fault)
)

// Replied is how a request ended for the requester. Record it after its last byte was read. A
// second reply to the same request is recorded as well.
type Replied struct {
	Stamp
	Ask     uint64 // the Seq of its Asked
	Way     Way
	Status  uint32 // HTTP status or OPC UA status code
	Outcome string // the outcome's word, also where the status stands for it; "" if it is not told
	Marker  uint64 // what the value carries; 0: none, [Mixed]: more than one
	ID      ID     // zero if it is not told
	// RetrySafe is nil where the reply does not say.
	RetrySafe *bool
	Replayed  bool // it says that it is an earlier request's reply
	InDoubt   bool
	Conflict  bool // the key belongs to another request (HTTP 422)
	Fallback  bool // the value is the node's fallback, Outcome the real one
	Elapsed   time.Duration
}

// Published is a whole PUBLISH to a treq topic as the gateway wrote it. Record it before any of
// its bytes is forwarded.
type Published struct {
	Stamp
	ID     ID
	Marker uint64
	Topic  string // of the node, without /treq
	Conn   uint64
	Life   uint32
}

// Partial is the beginning of a PUBLISH whose rest never came.
type Partial struct {
	Stamp
	ID       ID     // zero if it is not in what came
	Marker   uint64 // the same
	Conn     uint64
	Got, Len int // bytes
}

// Acked is a PUBACK or PUBREC as it is forwarded to the gateway. Record it before.
type Acked struct {
	Stamp
	ID     ID
	Reason byte
	Conn   uint64
}

// Altered says that a published request was changed on purpose on its way to the broker: what is
// answered may be another's data. Record it before any of its bytes is forwarded.
type Altered struct {
	Stamp
	ID ID
}

// Delivered is a request as a responder got it.
type Delivered struct {
	Stamp
	ID     ID
	Marker uint64
	Topic  string
}

// Answer is a message on a tres topic as it is forwarded to the gateway, after whatever was done
// to it on purpose. Record it before its first byte is forwarded.
type Answer struct {
	Stamp
	ID        ID // from the payload, else from the correlation data; zero: none
	Marker    uint64
	Topic     string
	Conn      uint64
	Life      uint32
	Error     bool // it has an error member
	Extend    bool // it has neither value nor error, but extend
	Empty     bool // it has none of the three: it ends its transaction, and answers nothing
	Malformed bool // no JSON object, or no id
	Stale     bool // it is flagged as retained from before
	Tampered  bool // its bytes were changed on the way
}

// Told is a message on a tend topic: the gateway tells the responder how it ended.
type Told struct {
	Stamp
	ID      ID
	Outcome string
}

// Cut is the end of a connection between gateway and broker.
type Cut struct {
	Stamp
	Conn uint64
}

// Counters are one node's as the gateway has them at the end of a life that drained.
type Counters struct {
	Stamp
	Life     uint32
	Node     string
	Begun    uint64
	Held     uint64
	Outcomes map[string]uint64
	Answers  map[string]uint64 // by kind
	// Repeats are the requests that were answered from an idempotency key, by kind. nil: not known.
	Repeats map[string]uint64
}

// Effect is what a fault may do to those who have to do with it.
type Effect uint8

// The effects.
const (
	EndsConnections Effect = 1 << iota // requesters may see their connection end, or none at all
	DelaysReplies                      // gateway, requester or machine does not run: replies may be late
	LosesAnswers                       // what was forwarded to the gateway may not arrive, or late
	LosesRequests                      // what was published may not arrive; no event is missing for that
	MovesClock                         // the wall clock jumps: keys that survive a restart may end early
)

// Fault is something that was done on purpose, from From to To.
type Fault struct {
	Stamp
	Kind     string
	Detail   string
	Effect   Effect
	From, To time.Duration // since the history began; set by [History.Fault]
}
