package requester_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
	"github.com/flowsync-go/flowsync/fuzz/chaos/script"
)

var planned = []requester.Node{
	{Name: "a", Door: history.HTTP, Kind: requester.Post, Share: 3, Timeout: 400 * time.Millisecond},
	{Name: "b", Door: history.OPCUA, Kind: requester.Method, Share: 1, Timeout: 400 * time.Millisecond, Serial: true},
	{Name: "c", Door: history.OPCUA, Kind: requester.Method, Share: 1, Timeout: 400 * time.Millisecond, Window: time.Minute},
	{Name: "d", Door: history.HTTP, Kind: requester.Post, Share: 1, Timeout: 300 * time.Millisecond, MaxExtend: 100 * time.Millisecond},
}

func TestPlan(t *testing.T) {
	p := requester.Planner{Seed: 4, Nodes: planned, Mix: requester.Mix{Odd: 10, Failing: 5, Leaving: 2}}
	nodes, scripts, left, limits, clashes := map[string]int{}, map[script.Script]int{}, 0, 0, 0
	const requests = 6000
	for n := range uint64(requests) {
		q := p.Plan(n + 1)
		require.Equal(t, q, p.Plan(n+1), "the same number is the same request")
		require.Equal(t, n+1, q.Marker>>8)
		nodes[q.Node.Name]++
		scripts[script.Of(q.Marker)]++
		require.Equal(t, q.Node.Window > 0, q.Key != "")
		if q.Clash != 0 {
			clashes++
			require.NotEmpty(t, q.Key)
			require.Greater(t, q.Clash>>8, uint64(requests))
		}
		if q.Leave > 0 {
			left++
		}
		if q.Limit > 0 {
			limits++
			require.GreaterOrEqual(t, q.Limit, 50*time.Millisecond)
		}
	}
	require.InDelta(t, requests/2, nodes["a"], requests/20)
	require.InDelta(t, requests/50, left, requests/100)
	require.Greater(t, limits, requests/20)
	require.Greater(t, clashes, requests/6/8)
	require.Greater(t, scripts[script.Echo], requests/3)
	for _, s := range script.All() {
		require.Positive(t, scripts[s], s)
	}

	p.Mix = requester.Mix{}
	for n := range uint64(1000) {
		q := p.Plan(n + 1)
		require.Zero(t, q.Leave)
		require.Contains(t, []script.Script{script.Echo, script.Soon, script.Extend}, script.Of(q.Marker))
	}
	require.Equal(t, 400*time.Millisecond, planned[3].Longest())
	require.Equal(t, "services/x/a", planned[0].Topic("x"))
}

func TestLine(t *testing.T) {
	p := &requester.Planner{Seed: 4, Nodes: planned}
	l := requester.NewLine(p, 10_000, 7)
	handed := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		for l.HTTP != nil || l.OPCUA != nil {
			select {
			case q, ok := <-l.HTTP:
				if !ok {
					l.HTTP = nil
					continue
				}
				require.Equal(t, history.HTTP, q.Node.Door)
			case q, ok := <-l.OPCUA:
				if !ok {
					l.OPCUA = nil
					continue
				}
				require.Equal(t, history.OPCUA, q.Node.Door)
			}
			handed++
		}
	}()
	start := time.Now()
	l.Run(t.Context(), func() bool { return time.Since(start) > 100*time.Millisecond })
	<-done
	require.Positive(t, handed)
	require.GreaterOrEqual(t, l.Number(), uint64(7+handed))
}
