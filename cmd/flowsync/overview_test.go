package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func printed(t *testing.T, o overview) string {
	var b strings.Builder
	require.NoError(t, o.print(&b, 10*time.Second))
	return b.String()
}

func TestOverview(t *testing.T) {
	transaction := "held up to 2s, then 500; asks on services/shop/order"
	golden(t, "overview_inside.txt", printed(t, overview{
		http: "127.0.0.1:8080", admin: "127.0.0.1:9090",
		broker: overviewBroker{address: "127.0.0.1:1883", inside: true},
		routes: []overviewRoute{
			{"POST", "/data/shop/order", transaction},
			{"GET", "/data/shop/order/{id}/line/{line}", transaction},
			{"PUT", "/data/shop/it's", transaction},
			{"DELETE", "/data/shop/order/{id}", transaction},
		},
		filters: []string{"services/shop/#"},
	}))
	golden(t, "overview_outside.txt", printed(t, overview{
		http: "0.0.0.0:8443", tls: true, tokenFile: "/etc/flow sync/token", admin: "[::]:9090",
		broker:  overviewBroker{address: "broker.plant:8883", tls: true, ca: "ca.pem", user: "flow", about: "not connected yet"},
		routes:  []overviewRoute{{"GET", "/data/x", transaction}},
		filters: []string{"services/a/#", "services/b/#"},
	}))
	golden(t, "overview_opcua.txt", printed(t, overview{
		admin: "127.0.0.1:9090", broker: overviewBroker{address: "127.0.0.1:1883", inside: true}, filters: []string{"services/a/#"},
		opcua: overviewOPCUA{
			address: "[::]:4841", path: "/UA/CybusOpcuaServer", security: []string{"Basic256Sha256 SignAndEncrypt", "None"},
			nodes: []overviewNode{{"ns=1;s=Press.MayStart", "Method, a Call is held until it is answered, at most 2s"}},
		},
	}))
	golden(t, "overview_no_http.txt", printed(t, overview{
		admin: "127.0.0.1:9090", broker: overviewBroker{address: "b:8883", tls: true}, filters: []string{"services/a/#"},
	}))
}

func TestOverviewIsBounded(t *testing.T) {
	o := overview{http: "127.0.0.1:8080", admin: "127.0.0.1:9090", broker: overviewBroker{address: "h:1883"}}
	for i := range 100 {
		o.routes = append(o.routes, overviewRoute{"GET", fmt.Sprintf("/data/%d", i), "x"})
		o.filters = append(o.filters, fmt.Sprintf("services/%d/#", i))
		o.opcua.nodes = append(o.opcua.nodes, overviewNode{fmt.Sprintf("ns=1;i=%d", i), "x"})
	}
	text := printed(t, o)
	assert.Equal(t, maxShown, strings.Count(text, "curl"))
	assert.Equal(t, maxShown, strings.Count(text, " -t "))
	assert.Equal(t, maxShown, strings.Count(text, "ns=1;"))
	assert.Contains(t, text, "and 88 more, which clients can browse")
	assert.Contains(t, text, "and 88 more: see http://127.0.0.1:9090")
}

func TestShellQuote(t *testing.T) {
	for word, want := range map[string]string{
		"a/b:1": "a/b:1", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "a#": "'a#'",
	} {
		assert.Equal(t, want, shellQuote(word))
	}
}

func TestReachable(t *testing.T) {
	for address, want := range map[string]string{
		":1": "127.0.0.1:1", "0.0.0.0:1": "127.0.0.1:1", "[::]:1": "127.0.0.1:1", "[::1]:1": "[::1]:1", "h:1": "h:1", "h": "h",
	} {
		assert.Equal(t, want, reachable(address))
	}
}
