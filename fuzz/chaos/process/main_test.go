//go:build linux

package process_test

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain is also the dummy that the tests start.
func TestMain(m *testing.M) {
	switch os.Getenv("PROCESS_TEST") {
	case "wait":
		fmt.Println("starting")
		fmt.Println("ready")
		<-time.After(time.Minute)
		os.Exit(3)
	case "deaf":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		<-time.After(time.Minute)
		os.Exit(3)
	case "files":
		fmt.Println("ready")
		var line string
		_, _ = fmt.Sscan(os.Getenv("PROCESS_TEST_FILE"), &line)
		for {
			if f, err := os.Open(line); err != nil {
				fmt.Println("refused:", err)
				<-time.After(time.Minute)
			} else if f.Fd() > 100_000 {
				os.Exit(4)
			}
		}
	case "fail":
		fmt.Println("no luck today")
		os.Exit(5)
	case "good":
		end := make(chan os.Signal, 1)
		signal.Notify(end, syscall.SIGTERM)
		fmt.Println("ready")
		<-end
		os.Exit(0)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/flowsync-go/flowsync/fuzz/chaos/process.init.func1.1"))
}
