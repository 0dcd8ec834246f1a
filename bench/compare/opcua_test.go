package compare

import (
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/bench"
)

const gopcuaName = "gopcua"

func TestMain(m *testing.M) {
	servers := bench.Servers{gopcuaName: bench.WithBackend(gopcua)}
	maps.Copy(servers, pathServers)
	bench.Main(m, servers)
}

// What a Call costs on either server.
func BenchmarkOPCUACall(b *testing.B) {
	theirs := bench.Standard(gopcuaName, gopcuaName, "None", bench.Call)
	ours := bench.Standard(bench.FlowsyncName, bench.FlowsyncName, "None", bench.Call)
	bench.Compare(b, bench.Against(gopcuaName, theirs, ours), theirs, ours)
}

// What a thousand Calls take that are held on either server.
func BenchmarkOPCUAHeld(b *testing.B) {
	for _, server := range []string{gopcuaName, bench.FlowsyncName} {
		b.Run(server, func(b *testing.B) {
			bench.ReportHeld(b, bench.Standard(server, server, "None", bench.Call), 1000)
		})
	}
}

// Both servers answer everything.
func TestServersAnswer(t *testing.T) {
	var workloads []bench.Workload
	for _, server := range []string{gopcuaName, bench.FlowsyncName} {
		w := bench.Standard(server, server, "None", bench.Call)
		w.WarmUp, w.Window = 20*time.Millisecond, 100*time.Millisecond
		workloads = append(workloads, w)
	}
	c, err := bench.NewCampaign(workloads...)
	require.NoError(t, err)
	defer func() { require.NoError(t, c.Close()) }()
	figures, err := c.Run(t.Context(), 1)
	require.NoError(t, err)
	for i, f := range figures {
		require.Zero(t, f[0].Faults, workloads[i].Title())
		require.Positive(t, f[0].Answers, workloads[i].Title())
	}
}
