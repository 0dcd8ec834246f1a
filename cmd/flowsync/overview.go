package main

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"
)

// maxShown is how many routes and topics are shown to whoever starts the gateway.
const maxShown = 12

// overview says what a running gateway serves where. Addresses are host:port as they were
// listened on.
type overview struct {
	http      string // empty: there is no HTTP server
	tls       bool
	tokenFile string // file with the token that requests must carry
	opcua     overviewOPCUA
	admin     string
	broker    overviewBroker
	routes    []overviewRoute
	filters   []string // topic filters that show all that goes through the broker
}

type overviewBroker struct {
	address string
	inside  bool // it runs inside this process
	tls     bool
	ca      string // file
	user    string
	about   string // what it can do; empty: it is inside
}

// overviewRoute is a route of an HTTP server.
type overviewRoute struct {
	method, path string // the path with all its prefixes; parameters as {name}
	about        string // what happens there, in a few words
}

// overviewOPCUA is what an OPC UA client needs to know.
type overviewOPCUA struct {
	address   string // empty: there is no OPC UA server
	path      string // of the endpoint URL
	security  []string
	anonymous bool
	nodes     []overviewNode
}

// overviewNode is an OPC UA node that does something.
type overviewNode struct{ id, about string }

// print tells a human what to do next.
func (o *overview) print(w io.Writer, drain time.Duration) error {
	var b strings.Builder
	fmt.Fprintf(&b, "flowsync %s\n\n", version)
	if o.http != "" {
		fmt.Fprintf(&b, "  HTTP    %s\n", o.url())
	}
	if o.opcua.address != "" {
		fmt.Fprintf(&b, "  OPC UA  %v\n", o.opcua)
	}
	fmt.Fprintf(&b, "  broker  %v\n", o.broker)
	if o.broker.about != "" {
		fmt.Fprintf(&b, "          %s\n", o.broker.about)
	}
	fmt.Fprintf(&b, "  admin   http://%s  (/healthz /readyz /metrics /api/late)\n", reachable(o.admin))
	o.printRoutes(&b)
	o.printNodes(&b)
	o.printFilters(&b)
	fmt.Fprintf(&b, "\nStop with Ctrl-C; what is held then has %v to be answered.\n", drain)
	_, err := io.WriteString(w, b.String())
	return err
}

func (o *overview) printRoutes(b *strings.Builder) {
	if len(o.routes) == 0 {
		return
	}
	b.WriteString("\nAsk:\n")
	for _, r := range o.routes[:min(len(o.routes), maxShown)] {
		fmt.Fprintf(b, "\n  %s %s: %s\n    %s\n", r.method, r.path, r.about, o.curl(r))
	}
	if more := len(o.routes) - maxShown; more > 0 {
		fmt.Fprintf(b, "\n  and %d more: see http://%s\n", more, reachable(o.admin))
	}
}

func (o *overview) printNodes(b *strings.Builder) {
	nodes := o.opcua.nodes
	if len(nodes) == 0 {
		return
	}
	b.WriteString("\nCall, write and read with any OPC UA client:\n\n")
	for _, n := range nodes[:min(len(nodes), maxShown)] {
		fmt.Fprintf(b, "  %s: %s\n", n.id, n.about)
	}
	if more := len(nodes) - maxShown; more > 0 {
		fmt.Fprintf(b, "  and %d more, which clients can browse\n", more)
	}
}

func (o *overview) printFilters(b *strings.Builder) {
	if len(o.filters) == 0 {
		return
	}
	b.WriteString("\nWatch the messages:\n\n  " + o.broker.watch())
	for _, filter := range o.filters[:min(len(o.filters), maxShown)] {
		b.WriteString(" -t " + shellQuote(filter))
	}
	b.WriteString("\n")
}

func (o *overview) url() string {
	if o.tls {
		return "https://" + reachable(o.http)
	}
	return "http://" + reachable(o.http)
}

var pathParameter = regexp.MustCompile(`\{[^{}/]*\}`)

// curl is a command line that asks a route.
func (o *overview) curl(r overviewRoute) string {
	words := []string{"curl"}
	switch r.method {
	case "GET", "DELETE":
		if r.method != "GET" {
			words = append(words, "-X", r.method)
		}
	default:
		if r.method != "POST" {
			words = append(words, "-X", r.method)
		}
		words = append(words, "-H", shellQuote("Content-Type: application/json"), "-d", shellQuote(`{"hello":"world"}`))
	}
	if o.tokenFile != "" {
		words = append(words, "-H", `"Authorization: Bearer $(head -n 1 `+shellQuote(o.tokenFile)+`)"`)
	}
	return strings.Join(append(words, shellQuote(o.url()+pathParameter.ReplaceAllString(r.path, "1"))), " ")
}

func (o overviewOPCUA) String() string {
	who := "users only"
	if o.anonymous {
		who = "no user needed"
	}
	return "opc.tcp://" + reachable(o.address) + o.path + "  (" + strings.Join(o.security, ", ") + "; " + who + ")"
}

func (b overviewBroker) String() string {
	scheme := "mqtt://"
	if b.tls {
		scheme = "mqtts://"
	}
	if b.inside {
		return scheme + reachable(b.address) + ", inside this process"
	}
	return scheme + b.address
}

// watch is the beginning of a command line that shows messages with their topics.
func (b overviewBroker) watch() string {
	host, port, err := net.SplitHostPort(reachable(b.address))
	if err != nil {
		host, port = b.address, "1883"
	}
	line := "mosquitto_sub -h " + shellQuote(host) + " -p " + port
	if b.tls && b.ca != "" {
		line += " --cafile " + shellQuote(b.ca)
	} else if b.tls {
		line += " --tls-use-os-certs"
	}
	if b.user != "" {
		line += " -u " + shellQuote(b.user) + ` -P "$` + passwordEnvName + `"`
	}
	return line + " -v"
}

// reachable is an address to connect to, for one that was listened on.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shellQuote writes a word for a POSIX shell.
func shellQuote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
