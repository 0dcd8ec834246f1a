package bench_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/bench"
)

func TestMain(m *testing.M) {
	bench.Prepare(bench.Servers{bench.FlowsyncName: bench.Flowsync})
	goleak.VerifyTestMain(m)
}

// What a Call costs, without security and with.
func BenchmarkOPCUACall(b *testing.B) {
	bench.Compare(b, "None",
		bench.Standard("None", bench.FlowsyncName, "None", bench.Call),
		bench.Standard("Basic256Sha256", bench.FlowsyncName, "Basic256Sha256", bench.Call),
	)
}

// What a Write costs that is a transaction.
func BenchmarkOPCUAWrite(b *testing.B) {
	bench.Compare(b, "None",
		bench.Standard("None", bench.FlowsyncName, "None", bench.Write),
		bench.Standard("Basic256Sha256", bench.FlowsyncName, "Basic256Sha256", bench.Write),
	)
}

// What ten thousand Calls take that are held on one session, and what Reads beside them wait.
func BenchmarkOPCUAHeld(b *testing.B) {
	for _, security := range []string{"None", "Basic256Sha256"} {
		b.Run(security, func(b *testing.B) {
			bench.ReportHeld(b, bench.Standard(security, bench.FlowsyncName, security, bench.Call), 10_000)
		})
	}
}
