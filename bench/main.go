package bench

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	rounds   = flag.Int("bench.rounds", 5, "rounds of each workload")
	window   = flag.Duration("bench.window", 2*time.Second, "in which is measured, each round")
	inFlight = flag.Int("bench.inflight", 64, "requests in flight on a session of OPC UA")
	profile  = flag.String("bench.profile", "", "a folder: profile each server in one more round")
)

// Main is what TestMain does. In the process of a server it runs the server, which is one of those
// given or of this package's own. Else it runs the tests, and one iteration of each benchmark if no
// flag says otherwise; then no goroutine may be left. It does not return.
func Main(m *testing.M, servers Servers) {
	all := ownServers()
	maps.Copy(all, servers)
	if config, child := os.LookupEnv(childEnv); child {
		if err := serveChild(all, config, os.Stdin, os.Stdout); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n") // nobody is there to hear of more
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.benchtime" })
	if !given {
		_ = flag.Set("test.benchtime", "1x") // which it takes
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if err := clean(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
		os.Exit(code)
	}))
}

// Standard is a workload of OPC UA as flags have it: one session, 64 in flight, texts of 32 bytes.
func Standard(name, server, security string, request Request) OPCUA {
	return OPCUA{
		Name: name, Server: server, Security: security, Request: request,
		InFlight: *inFlight, Payload: 32, WarmUp: *window / 4, Window: *window,
	}
}
