package transporttest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
)

// faultVariable names the environment variable that tells a child process what to do wrong.
const faultVariable = "FLOWSYNC_TRANSPORTTEST_FAULT"

// A suite is worth what it finds: each of these faults must fail the case that is there for it.
// A failing suite fails its test, so TestBus and TestServer run in child processes, which
// read the fault from the environment and have less patience.
func TestSuitesFindFaults(t *testing.T) {
	tests := []struct{ fault, finds string }{
		{"never calls Sent", "TestBus/SentBeforeHandOver"},
		{"calls Sent twice", "TestBus/SentBeforeHandOver"},
		{"sends what was refused", "TestBus/SentRefused"},
		{"sends what has expired", "TestBus/DeadlinePassed"},
		{"keeps the request", "TestBus/SlicesReused"},
		{"swaps requests", "TestBus/Order"},
		{"sends twice", "TestBus/Order"},
		{"delivers answers twice", "TestBus/DistinctBodies"},
		{"loses Correlation Data", "TestBus/CorrelationData"},
		{"takes stale for live", "TestBus/RetainedBefore"},
		{"takes live for stale", "TestBus/RetainedLive"},
		{"one topic for all", "TestBus/OtherNode"},
		{"accepts when closed", "TestBus/BusClosedWithWorkHeld"},
		{"leaves a goroutine", "TestBus/Answer$"},
		{"calls a timeout answered", "TestServer/Outcomes"},
		{"keeps what nobody waits for", "TestServer/RequesterGone"},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			pattern := strings.ReplaceAll(tt.finds, "/", "$/^")
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+pattern+"$", "-test.timeout=60s")
			child.Env = append(os.Environ(), faultVariable+"="+tt.fault)
			output, err := child.CombinedOutput()
			require.Error(t, err, "%s did not find it:\n%s", tt.finds, output)
			require.Contains(t, string(output), "--- FAIL: "+strings.TrimSuffix(tt.finds, "$"))
		})
	}
}

// brokenBus does one thing wrong, or nothing.
type brokenBus struct {
	*mem.Bus
	core.Sink // the engine, seen through the suite's eyes
	fault     string
	kept      *core.Request
	first     *core.Node
}

// Bind implements core.Binder.
func (b *brokenBus) Bind(sink core.Sink) {
	b.Sink = sink
	b.Bus.Bind(b)
}

// Attach implements core.Attacher.
func (b *brokenBus) Attach(node *core.Node) error {
	if b.first == nil {
		b.first = node
	}
	return b.Bus.Attach(node)
}

// Publish implements core.Bus.
func (b *brokenBus) Publish(r *core.Request) error {
	switch b.fault {
	case "keeps the request", "swaps requests":
		previous := b.kept
		kept := *r
		if b.kept = &kept; b.fault == "swaps requests" {
			kept.Value = append([]byte{}, r.Value...)
		}
		if previous == nil {
			return nil
		}
		b.kept = nil
		if b.fault == "keeps the request" {
			b.Bus.Publish(previous)
			return b.Bus.Publish(r)
		}
		b.Bus.Publish(r)
		return b.Bus.Publish(previous)
	case "sends twice":
		b.Bus.Publish(r)
	case "leaves a goroutine":
		go func() { select {} }()
	case "accepts when closed":
		b.Bus.Publish(r)
		return nil
	}
	return b.Bus.Publish(r)
}

// Sent implements core.Sink.
func (b *brokenBus) Sent(id core.ID) bool {
	switch b.fault {
	case "never calls Sent":
		return true
	case "calls Sent twice":
		first, second := b.Sink.Sent(id), b.Sink.Sent(id)
		return first || second
	case "sends what was refused", "sends what has expired", "sends twice":
		b.Sink.Sent(id)
		return true
	}
	return b.Sink.Sent(id)
}

// Resolve implements core.Sink.
func (b *brokenBus) Resolve(a core.Answer) bool {
	switch b.fault {
	case "delivers answers twice":
		b.Sink.Resolve(a)
	case "loses Correlation Data":
		a.CorrelationData = nil
	case "takes stale for live":
		a.Stale = false
	case "takes live for stale":
		a.Stale = true
	case "one topic for all":
		a.Node = b.first
	}
	return b.Sink.Resolve(a)
}
