package bench_test

import (
	"testing"

	"github.com/flowsync-go/flowsync/bench"
)

func TestMain(m *testing.M) { bench.Main(m, nil) }

// What a Call costs, without security and with.
func BenchmarkOPCUACall(b *testing.B) {
	compareSecurity(b, bench.Call)
}

// What a Write costs that is a transaction.
func BenchmarkOPCUAWrite(b *testing.B) {
	compareSecurity(b, bench.Write)
}

// What ten thousand Calls take that are held on one session, and what Reads beside them wait.
func BenchmarkOPCUAHeld(b *testing.B) {
	for _, security := range []string{"None", "Basic256Sha256"} {
		b.Run(security, func(b *testing.B) {
			bench.ReportHeld(b, bench.Standard(security, bench.FlowsyncName, security, bench.Call), 10_000)
		})
	}
}

func compareSecurity(b *testing.B, request bench.Request) {
	none := bench.Standard("None", bench.FlowsyncName, "None", request)
	encrypted := bench.Standard("Basic256Sha256", bench.FlowsyncName, "Basic256Sha256", request)
	bench.Compare(b, bench.Against("None", none, encrypted), none, encrypted)
}
