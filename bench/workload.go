package bench

import (
	"fmt"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Request is what is asked.
type Request int

// The requests, of one operation each.
const (
	Call Request = iota
	Write
)

// Workload is what is asked of a server over one session, and how.
type Workload struct {
	Name     string // in tables
	Server   string // one of the Servers
	Security string // None, or the name of a policy, which goes with SignAndEncrypt
	Request  Request
	InFlight int           // requests at a time, each followed by another once it is answered
	Payload  int           // bytes of the text that is asked with; at least 16
	WarmUp   time.Duration // before the window
	Window   time.Duration
}

// Figures are what a workload came to in one round.
type Figures struct {
	Answers       int           // in the window
	Window        time.Duration // as it was
	CPU           time.Duration // of the server's process in the window
	P50, P99, Max time.Duration // from sending a request to its answer
	Faults                      // of the whole round
}

// Faults are what must not be.
type Faults struct {
	Lost      int // requests without an answer
	Wrong     int // answers that are not what was to be answered
	Duplicate int // answers to what was answered, or never asked
}

// CPUEach is the CPU time by answer.
func (f Figures) CPUEach() time.Duration { return f.CPU / time.Duration(max(1, f.Answers)) }

// Rate is answers a second.
func (f Figures) Rate() float64 { return float64(f.Answers) / f.Window.Seconds() }

func (f Figures) String() string {
	return fmt.Sprintf("%7.1f µs of CPU, %6.0f/s, p50 %v, p99 %v, max %v, lost %d, wrong %d, duplicate %d",
		micros(f.CPUEach()), f.Rate(), f.P50.Round(time.Microsecond), f.P99.Round(time.Microsecond), f.Max.Round(time.Microsecond),
		f.Lost, f.Wrong, f.Duplicate)
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// percentiles sorts times and gives three of them (nearest rank).
func percentiles(times []time.Duration) (p50, p99, most time.Duration) {
	if len(times) == 0 {
		return 0, 0, 0
	}
	slices.Sort(times)
	rank := func(percent int) time.Duration { return times[(len(times)*percent+99)/100-1] }
	return rank(50), rank(99), times[len(times)-1]
}

// CallRequest is a Call of [Method].
func CallRequest(text string) ua.Request {
	return &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{
		ObjectID: ua.NewStringNodeID(1, Root), MethodID: ua.NewStringNodeID(1, Method),
		InputArguments: []*ua.Variant{ua.MustVariant(text)},
	}}}
}

// WriteRequest is a Write of [Variable].
func WriteRequest(text string) ua.Request {
	return &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{
		NodeID: ua.NewStringNodeID(1, Variable), AttributeID: ua.AttributeIDValue,
		Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(text)},
	}}}
}

func (r Request) with(text string) ua.Request {
	if r == Write {
		return WriteRequest(text)
	}
	return CallRequest(text)
}
