//go:build peers

// Package peers tests the OPC UA server with programs that are not ours: a client made with
// node-opcua, which runs in a process of its own and does what the tests say (node/driver.js),
// and tshark, which must be able to read every byte that we send. scripts/peers installs both.
//
// # Words
//
//   - plant: a server with its engine, its tree and a bus whose responders are the test's.
//   - client: one connection of node-opcua, with a session unless it is told to have none.
//   - driver: the process in which all clients live. It is started once.
//
// A test makes a plant, connects clients, and asks them for services by name, with fields as
// OPC 10000-4 calls them (values.js says how values look). Where it matters what node-opcua does
// by itself, such as renewing, reconnecting or publishing, there is a command of its own.
package peers

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// patience bounds every wait for something that should come at once.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "8") // those that run in parallel wait most of the time
	code := m.Run()
	stopDriver()
	os.RemoveAll(scratch())
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
