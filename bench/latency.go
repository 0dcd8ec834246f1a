package bench

import (
	"fmt"
	"testing"

	"github.com/flowsync-go/flowsync/bench/load"
)

// Rates are those at which latency is looked at, in requests a second; fewer with -short.
func Rates() []float64 {
	if testing.Short() {
		return []float64{500}
	}
	return []float64{1000, 2000, 5000, 10_000, 15_000, 20_000}
}

// latencyLanes is over how many connections a constant rate is offered: enough for the highest one
// with answers after 50 ms.
const latencyLanes = 1000

// reached is the part of a rate that has to be answered: with less, what is waited for grows
// without end, and its length says how long was measured. With less than worth it is no use to
// offer more.
const reached, worth = 0.98, 0.9

// ReportLatency offers rates to paths, one after the other, and reports how long requesters waited,
// counted from when their requests were to start. A path that falls far short of a rate is not
// offered more.
func ReportLatency(b *testing.B, rates []float64, paths ...*Path) {
	b.Helper()
	c, err := NewCampaign()
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}()
	ended := map[*Path]bool{}
	for _, rate := range rates {
		for _, p := range paths {
			if ended[p] {
				continue
			}
			b.Run(fmt.Sprintf("%s/rate=%.0f", p.Name, rate), func(b *testing.B) {
				goodput, err := c.offer(b, p, rate)
				if err != nil {
					b.Fatal(err)
				}
				ended[p] = goodput < worth*rate
			})
		}
	}
}

// offer offers a rate to a path, and returns how much of it was answered in time.
func (c *Campaign) offer(b *testing.B, p *Path, rate float64) (goodput float64, err error) {
	site, err := c.site(p)
	if err != nil {
		return 0, err
	}
	w := load.Workload{Rate: rate, Lanes: latencyLanes, WarmUp: *window / 4, Duration: *window, Timeout: 2 * drainTime}
	f, report, err := site.ask(b.Context(), Echo, w, standardPayload)
	if err != nil {
		return 0, err
	}
	ok := report.Reached() && report.GoodputPerSecond >= reached*rate
	b.Logf("%v; unstarted %d, the generator itself was late by p99 %.3f ms", f, report.Unstarted, report.Lag.P99)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate, "offered/s")
	b.ReportMetric(float64(f.Answers)/f.Window.Seconds(), "requests/s")
	b.ReportMetric(CPU(f), "cpu-µs/request")
	b.ReportMetric(report.Lag.P99, "generator-p99-ms")
	b.ReportMetric(map[bool]float64{true: 1}[ok], "reached")
	reportTimes(b, "", []Times{f.Times})
	strict(&report).report(b)
	return report.GoodputPerSecond, site.alive()
}
