package load

import (
	"cmp"
	"iter"
	"math"
	"runtime"
	"slices"
	"time"
)

// Report is what a run came to. As JSON its names are stable, and have their units in them. Times
// are in milliseconds; those of an open loop are counted from the intended start.
type Report struct {
	Target      string `json:"target"`
	Loop        string `json:"loop"` // open or closed
	Expectation string `json:"expectation,omitempty"`
	// Checked: a wrong answer would have been noticed.
	Checked bool `json:"checked"`

	OfferedPerSecond float64 `json:"offered_per_second"` // 0 in a closed loop
	RampSeconds      float64 `json:"ramp_seconds"`
	WarmUpSeconds    float64 `json:"warm_up_seconds"`
	DurationSeconds  float64 `json:"duration_seconds"` // in which requests were counted; shorter than asked for if interrupted
	TimeoutSeconds   float64 `json:"timeout_seconds"`
	Connections      int     `json:"connections"` // lanes
	PayloadBytes     int     `json:"payload_bytes,omitempty"`
	Go               string  `json:"go"`
	CPUs             int     `json:"cpus"`
	Version          string  `json:"version,omitempty"` // of the generator, if its command knows it

	Requests         uint64   `json:"requests"`           // started and counted
	ReachedPerSecond float64  `json:"reached_per_second"` // requests started
	GoodputPerSecond float64  `json:"goodput_per_second"` // right answers
	AnsweredPerCent  float64  `json:"answered_percent"`   // of those started
	Latency          Latency  `json:"latency"`            // of the right answers
	Lag              Latency  `json:"lag"`                // how late the generator itself was: of requests for which a lane was free
	WaitedForLane    uint64   `json:"waited_for_lane"`    // requests that had to wait because all lanes were busy
	Unstarted        int      `json:"unstarted"`          // requests that no lane was free for before the end
	Lost             uint64   `json:"lost"`               // of the whole run, ramp and warm-up included
	Wrong            uint64   `json:"wrong"`              // as lost
	Duplicate        uint64   `json:"duplicate"`          // as lost
	Abandoned        uint64   `json:"abandoned"`          // in flight when the run was interrupted
	Reconnects       int      `json:"reconnects"`         // connections that were made again after a fault, a pause of 30 s, or because the server closed them
	Interrupted      bool     `json:"interrupted"`        // before its end, or before all that was in flight had ended
	Outcomes         []Tally  `json:"outcomes"`           // of counted requests, the most frequent first
	Faults           []string `json:"faults,omitempty"`   // the first few that are lost or wrong, in words

	distribution, lags times // of the right answers, and of Lag
}

// Tally is how many requests ended in one way, and how long they took.
type Tally struct {
	Outcome string  `json:"outcome"`
	Count   uint64  `json:"count"`
	Latency Latency `json:"latency"`
}

// Latency is a distribution of times, in milliseconds.
type Latency struct {
	P50  float64 `json:"p50_ms"`
	P75  float64 `json:"p75_ms"`
	P90  float64 `json:"p90_ms"`
	P99  float64 `json:"p99_ms"`
	P999 float64 `json:"p99_9_ms"`
	Max  float64 `json:"max_ms"`
}

// Describer is a [Target] that says more of itself in reports.
type Describer interface {
	Describe(*Report)
}

// OK says whether every request had the one answer that is its own, or a truthful failure; and at
// least one was answered. It is false for a run that was interrupted.
func (r *Report) OK() bool {
	return r.Lost == 0 && r.Wrong == 0 && r.Duplicate == 0 && !r.Interrupted && r.count(Answered) > 0
}

// Reached says whether the generator could start what it was to offer.
func (r *Report) Reached() bool { return r.Unstarted == 0 }

// late says whether the generator was so late itself that the times say more of it, or of the machine
// it runs on, than of the target.
func (r *Report) late() bool { return r.Lag.P99 > 1 && r.Lag.P99 > r.Latency.P99/4 }

func (r *Report) count(outcome string) uint64 {
	for _, t := range r.Outcomes {
		if t.Outcome == outcome {
			return t.Count
		}
	}
	return 0
}

// Metrics are the figures of a report with the units that the benchmarks have.
func (r *Report) Metrics() iter.Seq2[string, float64] {
	return func(yield func(unit string, value float64) bool) {
		for _, m := range []struct {
			unit  string
			value float64
		}{
			{"requests/s", r.GoodputPerSecond},
			{"p50-ms", r.Latency.P50}, {"p90-ms", r.Latency.P90}, {"p99-ms", r.Latency.P99},
			{"p99.9-ms", r.Latency.P999}, {"max-ms", r.Latency.Max},
			{"lost", float64(r.Lost)}, {"wrong", float64(r.Wrong)}, {"duplicate", float64(r.Duplicate)},
			{"unstarted", float64(r.Unstarted)},
		} {
			if !yield(m.unit, m.value) {
				return
			}
		}
	}
}

// Distribution gives the latency of right answers at percentiles that come closer and closer to
// 100: five for each halving of what is left. A report that was read from JSON has none.
func (r *Report) Distribution() iter.Seq2[float64, time.Duration] { return r.distribution.all() }

func (r *run) report() Report {
	sum := r.recorder.merged()
	counted := max(0, r.ended-r.schedule.counted)
	answered := sum.tallyLocked(Answered)
	report := Report{
		Target: r.Target.String(), Loop: "open", Checked: true,
		OfferedPerSecond: r.Rate, RampSeconds: r.Ramp.Seconds(), WarmUpSeconds: r.WarmUp.Seconds(),
		DurationSeconds: round(counted.Seconds()), TimeoutSeconds: r.Timeout.Seconds(), Connections: len(r.lanes),
		Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH, CPUs: runtime.GOMAXPROCS(0),
		Latency: answered.latency.latency(), Lag: sum.lag.latency(), WaitedForLane: sum.waited, Unstarted: r.unstarted,
		Lost: sum.lost, Wrong: sum.wrong, Duplicate: sum.duplicate, Abandoned: sum.abandon,
		Interrupted: r.ended < r.schedule.end || r.interrupted.Load(), Faults: slices.Clone(r.recorder.excerpts),
		distribution: answered.latency, lags: sum.lag,
	}
	if r.Rate == 0 {
		report.Loop = "closed"
	}
	report.outcomes(sum, counted)
	for _, l := range r.lanes {
		if l, ok := l.(Reconnecter); ok {
			report.Reconnects += l.Reconnects()
		}
	}
	if d, ok := r.Target.(Describer); ok {
		d.Describe(&report)
	}
	return report
}

// outcomes fills in what became of the requests that were counted.
func (r *Report) outcomes(sum *group, counted time.Duration) {
	for outcome, t := range sum.outcomes {
		r.Requests += t.count
		if t.count > 0 {
			r.Outcomes = append(r.Outcomes, Tally{outcome, t.count, t.latency.latency()})
		}
	}
	slices.SortFunc(r.Outcomes, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Outcome, b.Outcome))
	})
	r.Requests += sum.abandon
	if counted > 0 {
		r.ReachedPerSecond = round(float64(r.Requests) / counted.Seconds())
		r.GoodputPerSecond = round(float64(sum.good) / counted.Seconds())
	}
	if r.Requests > 0 {
		r.AnsweredPerCent = round(100 * float64(r.count(Answered)) / float64(r.Requests))
	}
}

// millis is a time in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return math.Round(float64(d)/1e3) / 1e3 }

// round leaves three places behind the point.
func round(f float64) float64 { return math.Round(f*1e3) / 1e3 }
