//go:build linux

package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the process of a responder: a campaign starts its own program again.
func TestMain(m *testing.M) {
	if options := os.Getenv(childEnv); options != "" {
		exit(respond(options))
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/flowsync-go/flowsync/fuzz/chaos/process.init.func1.1"))
}
