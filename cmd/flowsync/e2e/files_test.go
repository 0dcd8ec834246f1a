package e2e

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// theFourFiles are the smallest files that a user has, and what they must do.
var theFourFiles = []struct {
	file     string
	status   int
	outcome  string
	body     string // of a success
	detail   string // part of that of a failure
	duration time.Duration
}{
	{file: "timeout-default.yaml", status: 500, outcome: "timeout", duration: 2 * time.Second},
	{file: "answered.yaml", status: 200, outcome: "answered", body: `"the answer"`},
	{file: "error.yaml", status: 500, outcome: "responder_error", detail: "order 4711 is unknown"},
	{file: "timeout-custom.yaml", status: 408, outcome: "timeout", detail: "the MES did not answer in time", duration: 2 * time.Second},
}

func TestFourFiles(t *testing.T) { fourFiles(t) }

// fourFiles asks each file twenty times at once. The program has the broker of the arguments.
func fourFiles(t *testing.T, args ...string) {
	const times = 20
	for _, c := range theFourFiles {
		t.Run(c.file, func(t *testing.T) {
			g := start(t, append(args, examples+c.file)...)
			replies := make([]*reply, times)
			var all sync.WaitGroup
			for i := range replies {
				all.Go(func() { replies[i], _ = try(client(1), "GET", "http://"+g.http+"/data/question", "") })
			}
			all.Wait()
			var lateness []float64
			for _, r := range replies {
				require.NotNil(t, r)
				require.Equal(t, c.status, r.status, "%s", r.body)
				require.Equal(t, c.outcome, r.outcome())
				if c.body != "" {
					require.Equal(t, c.body, string(r.body))
				}
				require.Contains(t, r.problem.Detail, c.detail)
				lateness = append(lateness, r.problem.ElapsedMs-float64(c.duration.Milliseconds()))
			}
			if c.duration > 0 {
				slices.Sort(lateness)
				t.Logf("lateness in ms: %v", lateness)
				assert.GreaterOrEqual(t, lateness[0], 0.0, "never early")
				assert.LessOrEqual(t, lateness[times*19/20-1], 50.0, "19 of 20 within 50 ms")
			}
			require.Eventually(t, func() bool { return g.outcome(c.outcome) == times }, patience, 10*time.Millisecond)
			g.addsUp(times)
		})
	}
}

// The quickstart answers by itself, soon after it was started.
func TestQuickstart(t *testing.T) {
	var took []time.Duration
	for range 5 {
		began := time.Now()
		g := start(t, examples+"quickstart.yaml")
		r := ask(t, client(1), "POST", "http://"+g.http+"/data/press/mayStart", `{"order": 4711}`)
		took = append(took, time.Since(began))
		require.Equal(t, 200, r.status, "%s", r.body)
		var value struct {
			Order    int
			MayStart bool
		}
		require.NoError(t, json.Unmarshal(r.body, &value))
		assert.Equal(t, 4711, value.Order)
		assert.True(t, value.MayStart)
		g.kill()
	}
	slices.Sort(took)
	t.Logf("start to first answer: %v", took)
	if !raceEnabled {
		assert.Less(t, took[2], 300*time.Millisecond, "the median")
	}
}
