//go:build peers

package compare

import (
	_ "embed"
	"flag"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowsync-go/flowsync/bench"
)

var nodeRED = flag.String("bench.nodered", "", "the folder in which Node-RED was installed (npm install --prefix FOLDER node-red)")

//go:embed nodered/flows.json
var nodeREDFlows string

//go:embed nodered/settings.js
var nodeREDSettings string

// What a request costs with flowsync, and with a flow of Node-RED that does the same.
func BenchmarkHTTPNodeRED(b *testing.B) {
	if *nodeRED == "" {
		b.Fatal("run nodered/run, or say where Node-RED is: -bench.nodered FOLDER")
	}
	contenders := []contender{
		{"node-red", &bench.Path{Name: "Node-RED", Open: openNodeRED}},
		{"flowsync", bench.External(0)},
	}
	var workloads []bench.Workload
	var relations []bench.Relation
	for _, connections := range []int{64, 512} {
		name := func(what string) string { return fmt.Sprintf("what=%s/conns=%d", what, connections) }
		for _, c := range contenders {
			w := bench.StandardHTTP(c.path, connections)
			w.Name = name(c.name)
			workloads = append(workloads, w)
		}
		relations = append(relations,
			bench.Relation{Metric: "cpu-of-node-red", Of: name("flowsync"), Over: name("node-red"), Figure: bench.CPU},
			bench.Relation{Metric: "rate-of-node-red", Of: name("flowsync"), Over: name("node-red"), Figure: bench.Rate},
		)
	}
	bench.Compare(b, relations, workloads...)
}

func openNodeRED(s *bench.Site) (address string, err error) {
	broker, err := s.Serve(bench.Broker, bench.Config{Server: bench.MochiName})
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(broker.Address)
	if err != nil {
		return "", err
	}
	flows, err := s.File("flows.json", strings.ReplaceAll(nodeREDFlows, "@PORT@", port))
	if err != nil {
		return "", err
	}
	settings, err := s.File("settings.js", nodeREDSettings)
	if err != nil {
		return "", err
	}
	own, err := freePort()
	if err != nil {
		return "", err
	}
	connected := func(line string) bool { return strings.Contains(line, "Connected to broker") }
	program := filepath.Join(*nodeRED, "node_modules", "node-red", "red.js")
	err = s.Run(bench.Gateway, connected, "node", program, "-s", settings, "-u", filepath.Dir(flows), "-p", fmt.Sprint(own), flows)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("127.0.0.1:%d", own), s.Respond(broker.Address, bench.EchoTopic, 0)
}
