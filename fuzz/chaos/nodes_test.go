//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
)

// What is said of nodes in Go is what the gateway's file says.
func TestNodesAreThoseOfThePlant(t *testing.T) {
	var file struct {
		Metadata  struct{ Name string }
		Resources map[string]struct {
			Type       string
			Properties struct {
				Method      string
				Route       string
				NodeType    string `yaml:"nodeType"`
				BrowseName  string `yaml:"browseName"`
				Operation   string
				Transaction struct {
					Timeout      int
					MaxExtend    int `yaml:"maxExtend"`
					Window       int `yaml:"idempotencyWindow"`
					Serial       bool
					FailFast     bool `yaml:"failFast"`
					Idempotency  bool
					OnDisconnect string `yaml:"onDisconnect"`
				}
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(plant), &file))
	require.Equal(t, service, file.Metadata.Name)
	listed := map[string]*requester.Node{}
	for i := range nodes {
		listed[nodes[i].Name] = &nodes[i]
	}
	for name, r := range file.Resources {
		p := r.Properties
		if p.Operation != "transaction" {
			continue
		}
		n := listed[name]
		require.NotNil(t, n, name)
		delete(listed, name)
		milliseconds := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
		require.Equal(t, milliseconds(p.Transaction.Timeout), n.Timeout, name)
		require.Equal(t, milliseconds(p.Transaction.MaxExtend), n.MaxExtend, name)
		require.Equal(t, milliseconds(p.Transaction.Window), n.Window, name)
		require.Equal(t, p.Transaction.Idempotency, n.Window > 0, name)
		require.Equal(t, p.Transaction.Serial, n.Serial, name)
		require.Equal(t, p.Transaction.FailFast, n.FailFast, name)
		require.Equal(t, p.Transaction.OnDisconnect == "wait", n.Wait, name)
		if r.Type == "Cybus::Node::Http" {
			require.Equal(t, history.HTTP, n.Door, name)
			require.Contains(t, "/data"+p.Route, n.Place, name)
			require.Equal(t, p.Method, map[requester.Kind]string{requester.Post: "POST", requester.Get: "GET"}[n.Kind], name)
			continue
		}
		require.Equal(t, history.OPCUA, n.Door, name)
		require.Equal(t, p.BrowseName, n.Place, name)
		require.Equal(t, p.NodeType, map[requester.Kind]string{requester.Method: "Method", requester.Write: "Variable"}[n.Kind], name)
	}
	require.Empty(t, listed, "nodes that are not in the file")
}
