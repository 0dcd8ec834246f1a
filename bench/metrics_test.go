package bench

import (
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/bench/load"
)

const someMetrics = `# HELP held What is held.
flowsync_held{node="a b"} 3
flowsync_held{node="b"} 4
flowsync_held_bytes 12
took_bucket{node="a",outcome="shed",le="0.001"} 90
took_bucket{node="a",outcome="shed",le="0.01"} 99
took_bucket{node="a",outcome="shed",le="+Inf"} 100
took_bucket{node="a",outcome="answered",le="0.001"} 7
`

func TestMetrics(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, someMetrics)
	}))
	defer server.Close()
	s := Site{admin: strings.TrimPrefix(server.URL, "http://")}
	m, err := s.metrics(t.Context())
	require.NoError(t, err)
	require.Equal(t, 7.0, m.sum("flowsync_held", ""))
	require.Equal(t, 4.0, m.sum("flowsync_held", `"b"`))
	require.Equal(t, 12.0, m.sum("flowsync_held_bytes", ""))
	shed := m.buckets("took", `outcome="shed"`)
	require.Equal(t, map[float64]float64{0.001: 90, 0.01: 99, math.Inf(1): 100}, shed)

	require.Equal(t, 10*time.Millisecond, quantile(0.99, nil, shed))
	require.Equal(t, time.Millisecond, quantile(0.9, nil, shed))
	require.Equal(t, time.Duration(1e6)*time.Second, quantile(1, nil, shed))
	require.Zero(t, quantile(0.99, shed, shed), "nothing came")
	require.Zero(t, quantile(0.99, nil, nil))
	require.NoError(t, s.awaitHeld(t.Context(), func(held int) bool { return held == 7 }))

	_, err = new(Site).metrics(t.Context())
	require.ErrorContains(t, err, "tells nothing")
}

// What is not answered is lost where everything can be answered, and may be shed in an overload.
func TestStrict(t *testing.T) {
	r := load.Report{
		Lost: 1, Wrong: 2, Duplicate: 3, DurationSeconds: 2, ReachedPerSecond: 9, GoodputPerSecond: 5,
		Outcomes: []load.Tally{
			{Outcome: load.Answered, Count: 10}, {Outcome: "shed", Count: 4}, {Outcome: "timeout", Count: 6},
			{Outcome: load.Lost, Count: 1}, {Outcome: load.Wrong, Count: 2},
		},
	}
	require.Equal(t, Faults{Lost: 11, Wrong: 2, Duplicate: 3}, strict(&r))
	require.Equal(t, Faults{Lost: 1, Wrong: 2, Duplicate: 3}, faultsOf(&r))
}

// What the gateway has counted is told by the second, as the load has seen the answers.
func TestOverloadCounts(t *testing.T) {
	count := func(outcome string) string { return ends + `{node="echo",outcome="` + outcome + `"}` }
	bucket := func(outcome, bound string) string {
		return durations + `_bucket{node="echo",outcome="` + outcome + `",le="` + bound + `"}`
	}
	before := metrics{count("answered"): 100, count("shed"): 5}
	after := metrics{
		count("answered"): 300, count("shed"): 605, count("timeout"): 40,
		bucket("answered", "0.5"): 200, bucket("answered", "+Inf"): 200,
		bucket("shed", "0.001"): 600, bucket("shed", "+Inf"): 600,
	}
	var o Overload
	o.fill(&load.Report{GoodputPerSecond: 50, Lost: 1}, before, after)
	require.Equal(t, Overload{
		Started: 210, Goodput: 50, Shed: 150, Other: 10, ShedP99: time.Millisecond, P99: 500 * time.Millisecond, Faults: Faults{Lost: 1},
	}, o)

	o = Overload{}
	o.fill(&load.Report{}, before, before) // nothing was answered
	require.Zero(t, o)
}
