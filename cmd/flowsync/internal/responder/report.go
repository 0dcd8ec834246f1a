package responder

import (
	"sync/atomic"
	"time"
)

// Report is what a responder has done since its start. It is printed as JSON.
type Report struct {
	Seconds   float64 `json:"seconds"`
	Seed      uint64  `json:"seed"`
	Received  uint64  `json:"received"`  // requests
	SeenTwice uint64  `json:"seenTwice"` // of these, whose id had come before
	Malformed uint64  `json:"malformed"` // messages that are no requests
	// Sent counts messages handed to the connection, by act. A duplicate counts twice there.
	Sent     map[string]uint64 `json:"sent"`
	Silent   uint64            `json:"silent"`   // requests that were left without an answer on purpose
	Overflow uint64            `json:"overflow"` // answers dropped because too many wait
	Unsent   uint64            `json:"unsent"`   // messages that were due while there was no connection
	Waiting  int               `json:"waiting"`  // answers whose time has not come
	Connects uint64            `json:"connects"` // connections made
}

// counters are read while they count.
type counters struct {
	received, seenTwice, malformed, silent, overflow, unsent, connects atomic.Uint64

	sent [actEnd]atomic.Uint64
}

// Report says what has been done so far.
func (r *Responder) Report() Report {
	c := &r.counters
	report := Report{
		Seconds:   time.Since(r.began).Round(time.Millisecond).Seconds(),
		Seed:      r.options.Seed,
		Received:  c.received.Load(),
		SeenTwice: c.seenTwice.Load(),
		Malformed: c.malformed.Load(),
		Sent:      map[string]uint64{},
		Silent:    c.silent.Load(),
		Overflow:  c.overflow.Load(),
		Unsent:    c.unsent.Load(),
		Waiting:   r.schedule.waiting(),
		Connects:  c.connects.Load(),
	}
	for a := range actEnd {
		if n := c.sent[a].Load(); n > 0 {
			report.Sent[a.String()] = n
		}
	}
	return report
}
