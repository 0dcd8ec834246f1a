package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
	"github.com/flowsync-go/flowsync/transport/mem"
)

// patience is how long a test waits for what should come at once.
const patience = 10 * time.Second

// gateway serves one node on loopback, whose requests respond gets.
func gateway(t *testing.T, method string, respond func(*mem.Request)) (address string) {
	bus, err := mem.New(mem.Options{})
	require.NoError(t, err)
	engine, err := core.New(bus, core.Options{})
	require.NoError(t, err)
	node, err := engine.AddNode(core.NodeOptions{Name: "mayStart", Topic: "press/mayStart", Timeout: time.Second})
	require.NoError(t, err)
	stop, err := bus.Respond(node.Topic(), respond)
	require.NoError(t, err)
	server, err := http.New(http.Options{Engine: engine, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.NoError(t, server.Add(http.Route{Method: method, Path: "/data/press/{n}", Transaction: &http.Transaction{Node: node}}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, server.Close())
		require.NoError(t, <-served)
		require.NoError(t, engine.Close())
		require.NoError(t, bus.Close())
	})
	return listener.Addr().String()
}

func echoing(r *mem.Request) { r.Answer(r.Value) }

func target(t *testing.T, o HTTPOptions) *HTTP {
	t.Helper()
	h, err := NewHTTP(o)
	require.NoError(t, err)
	return h
}

func TestHTTPGateway(t *testing.T) {
	address := gateway(t, "POST", echoing)
	h := target(t, HTTPOptions{URL: "http://" + address + "/data/press/7", Payload: 200})
	for _, rate := range []float64{0, 500} {
		report, err := Run(t.Context(), Workload{Target: h, Rate: rate, Lanes: 8, WarmUp: 50 * time.Millisecond, Duration: 400 * time.Millisecond})
		require.NoError(t, err)
		assert.True(t, report.OK(), "%+v", report)
		assert.True(t, report.Checked)
		assert.Equal(t, 200, report.PayloadBytes)
		assert.Equal(t, "echo", report.Expectation)
		assert.Zero(t, report.Reconnects)
		assert.Equal(t, report.Requests, report.count(Answered))
		if rate > 0 {
			assert.EqualValues(t, 200, report.Requests+uint64(report.Unstarted))
		}
	}
}

// Templates: in the URL, in the body, in what is expected.
func TestHTTPTemplates(t *testing.T) {
	address := gateway(t, "GET", echoing)
	h := target(t, HTTPOptions{URL: "http://" + address + "/data/press/{seq}?order={seq}&x", Method: "GET", Expect: `{"n":"{seq}","order":"{seq}"}`})
	report, err := Run(t.Context(), Workload{Target: h, Rate: 200, Lanes: 4, Duration: 100 * time.Millisecond})
	require.NoError(t, err)
	assert.True(t, report.OK(), "%+v", report)
	assert.True(t, report.Checked)
	assert.Zero(t, report.PayloadBytes)

	// as the quickstart answers: with the order in it, its members in another order
	address = gateway(t, "POST", func(r *mem.Request) {
		r.Answer([]byte(`{"mayStart":true, "more":[1], ` + strings.TrimPrefix(string(r.Value), "{")))
	})
	h = target(t, HTTPOptions{URL: "http://" + address + "/data/press/7", Body: `{"order":{seq}}`, Expect: `{"order":{seq},"mayStart":true}`})
	report, err = Run(t.Context(), Workload{Target: h, Rate: 200, Lanes: 4, Duration: 100 * time.Millisecond})
	require.NoError(t, err)
	assert.True(t, report.OK(), "%+v", report)
	assert.Equal(t, len(`{"order":1000000000}`), report.PayloadBytes)
}

// What the gateway says of its failures is counted, and is no fault.
func TestHTTPOutcomes(t *testing.T) {
	var mu sync.Mutex
	n := 0
	address := gateway(t, "POST", func(r *mem.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch n++; n % 3 {
		case 0:
			r.Fail(409, "no")
		case 1:
			r.Answer(r.Value)
		}
	})
	h := target(t, HTTPOptions{URL: "http://" + address + "/data/press/7"})
	report, err := Run(t.Context(), Workload{Target: h, Rate: 300, Lanes: 64, Duration: 200 * time.Millisecond})
	require.NoError(t, err)
	assert.True(t, report.OK(), "%+v", report)
	assert.EqualValues(t, 20, report.count("timeout"))
	assert.EqualValues(t, 20, report.count("responder_error"))
	assert.EqualValues(t, 20, report.count(Answered))
}

// A route that is not there, a responder that answers something else, a port where nobody listens:
// all told before the run.
func TestHTTPProbe(t *testing.T) {
	address := gateway(t, "POST", func(r *mem.Request) { r.Answer([]byte(`{"mayStart":true}`)) })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	plain := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		switch r.URL.Path {
		case "/said":
			nethttp.Error(w, "go away", nethttp.StatusTeapot)
		case "/mute":
			w.WriteHeader(nethttp.StatusBadGateway)
		case "/hang":
			panic(nethttp.ErrAbortHandler)
		}
	}))
	defer plain.Close()
	plain.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	for url, want := range map[string]string{
		"http://" + address + "/data/pres/7":      "the first request was refused: 404 Not Found: nothing is served on this path",
		"http://" + address + "/data/press/7":     "the first answer is not what is expected: the answer is",
		"http://" + closed.Addr().String() + "/x": "connection refused",
		plain.URL + "/said":                       `418 I'm a teapot: "go away\n"`,
		plain.URL + "/mute":                       "502 Bad Gateway: it says no more",
		plain.URL + "/hang":                       "the first request was not answered: no answer: ",
		plain.URL:                                 "the answer is not JSON",
	} {
		_, err := Run(t.Context(), Workload{Target: target(t, HTTPOptions{URL: url}), Lanes: 1, Duration: time.Minute})
		assert.ErrorContains(t, err, want, url)
	}
}

func TestHTTPProbeIsInterrupted(t *testing.T) {
	asked := make(chan bool, 1)
	address := gateway(t, "POST", func(*mem.Request) { asked <- true })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := Run(ctx, Workload{Target: target(t, HTTPOptions{URL: "http://" + address + "/data/press/7"}), Lanes: 1, Duration: time.Minute})
	assert.ErrorIs(t, err, context.Canceled)
}

// scripted is a server that answers each request of each connection as a function says: with bytes,
// and whether it goes on. Requests are counted over all connections.
func scripted(t *testing.T, answer func(n int, body string) (reply string, again bool)) (url string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	var mu sync.Mutex
	n := 0
	serve := func(conn net.Conn) {
		defer conn.Close()
		reader := bufio.NewReader(conn)
		for {
			request, err := nethttp.ReadRequest(reader)
			if err != nil {
				return
			}
			body, err := io.ReadAll(request.Body)
			if err != nil {
				return
			}
			mu.Lock()
			number := n
			n++
			mu.Unlock()
			reply, again := answer(number, string(body))
			if _, err := io.WriteString(conn, reply); err != nil || !again {
				return
			}
		}
	}
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		all.Wait()
	})
	return "http://" + listener.Addr().String() + "/"
}

func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// Faults of a server are caught one by one; the requests before and after are answered rightly.
func TestHTTPFaults(t *testing.T) {
	before := ""
	for name, c := range map[string]struct {
		second  func(body string) (string, bool)
		expect  string
		want    seen
		fault   string
		outcome string
	}{
		"right":         {second: func(body string) (string, bool) { return ok(body), true }},
		"other spacing": {second: func(body string) (string, bool) { return ok(" " + strings.ReplaceAll(body, ":", " : ")), true }},
		"wrong": {second: func(body string) (string, bool) { return ok(strings.Replace(body, "1", "2", 1)), true },
			want: seen{wrong: 1, reconnects: 1}, fault: "the answer is"},
		"no JSON": {second: func(string) (string, bool) { return ok("{"), true }, want: seen{wrong: 1, reconnects: 1}, fault: "not JSON"},
		"two values": {second: func(body string) (string, bool) { return ok(body + body), true },
			want: seen{wrong: 1, reconnects: 1}, fault: "not JSON"},
		"nothing": {second: func(string) (string, bool) { return "HTTP/1.1 204 No Content\r\n\r\n", true },
			want: seen{wrong: 1, reconnects: 1}, fault: `the answer is "null"`},
		"lost":   {second: func(string) (string, bool) { return "", false }, want: seen{lost: 1, reconnects: 1}, fault: "no answer: EOF"},
		"silent": {second: func(string) (string, bool) { return "", true }, want: seen{lost: 1, reconnects: 1}, fault: "no answer in time"},
		"torn":   {second: func(body string) (string, bool) { return ok(body)[:50], false }, want: seen{lost: 1, reconnects: 1}, fault: "no answer: "},
		"no HTTP": {second: func(string) (string, bool) { return "hello\r\n\r\n", false }, want: seen{lost: 1, reconnects: 1},
			fault: "no answer: "},
		"twice": {second: func(body string) (string, bool) { return ok(body) + ok(body), true }, want: seen{duplicate: 1, reconnects: 1}},
		"the one before, once more": {second: func(body string) (string, bool) { return ok(before) + ok(body), true },
			want: seen{duplicate: 1}},
		"closed": {second: func(body string) (string, bool) {
			return strings.Replace(ok(body), "\r\n", "\r\nConnection: close\r\n", 1), false
		}, want: seen{reconnects: 1}},
		"substitute": {second: func(string) (string, bool) {
			return strings.Replace(ok("0"), "\r\n", "\r\nFlowsync-Outcome: timeout\r\n", 1), true
		}, outcome: "timeout"},
		"a substitute that says it is the answer": {second: func(string) (string, bool) {
			return strings.Replace(ok("0"), "\r\n", "\r\nFlowsync-Outcome: answered\r\n", 1), true
		}, want: seen{wrong: 1, reconnects: 1}, fault: "the answer is"},
		"a substitute for what only we can know": {second: func(string) (string, bool) {
			return strings.Replace(ok("0"), "\r\n", "\r\nFlowsync-Outcome: lost\r\n", 1), true
		}, want: seen{wrong: 1, reconnects: 1}, fault: "the answer is"},
		"a failure with a word that is none": {second: func(string) (string, bool) {
			return strings.Replace(ok(`{"outcome":"\u001b[31m"}`), "200 OK\r\nContent-Type: application/json", "504 Late\r\nContent-Type: application/problem+json", 1), true
		}, outcome: "http 504"},
		"long": {second: func(body string) (string, bool) { return ok(strings.Repeat(" ", 100<<10) + body), true },
			want: seen{lost: 1, reconnects: 1}, fault: "body size exceeds"},
		"the one before, and nothing": {second: func(string) (string, bool) { return ok(before), true },
			want: seen{lost: 1, duplicate: 1, reconnects: 1}, fault: "no answer in time"},
		"plain failure":       {second: func(string) (string, bool) { return "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", true }, outcome: "http 502"},
		"any is not compared": {expect: ExpectAny, second: func(string) (string, bool) { return ok("1"), true }},
		"any is JSON": {expect: ExpectAny, second: func(string) (string, bool) { return ok("x"), true },
			want: seen{wrong: 1, reconnects: 1}, fault: "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			before = ""
			url := scripted(t, func(n int, body string) (reply string, again bool) {
				if n == 1 {
					return c.second(body)
				}
				before = body
				return ok(body), true
			})
			lanes, err := target(t, HTTPOptions{URL: url, Expect: c.expect}).Open(t.Context(), 1)
			require.NoError(t, err)
			defer lanes[0].Close()
			var got seen
			for n := range uint64(3) {
				timeout := patience
				if n == 1 && strings.HasSuffix(c.fault, "in time") {
					timeout = 50 * time.Millisecond
				}
				v := lanes[0].Ask(firstSeq+n, time.Now().Add(timeout))
				got.add(v)
				if n == 1 && c.outcome != "" {
					assert.Equal(t, c.outcome, v.Outcome)
				}
				if n == 1 && c.fault != "" {
					assert.ErrorContains(t, v.Err, c.fault)
				} else {
					assert.NoError(t, v.Err)
				}
			}
			got.reconnects = lanes[0].(Reconnecter).Reconnects()
			assert.Equal(t, c.want, got)
		})
	}
}

// Of many lanes, most ask once. What is answered twice then shows behind the last request only.
func TestHTTPStragglers(t *testing.T) {
	for name, c := range map[string]struct {
		more string
		want uint64
	}{
		"the answer":   {"", 4},
		"of the end":   {"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 0},
		"no HTTP":      {"?", 0},
		"a failure":    {"HTTP/1.1 504 Late\r\nContent-Type: application/problem+json\r\nContent-Length: 21\r\n\r\n" + `{"outcome":"timeout"}`, 4},
		"in two parts": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n", 4},
	} {
		t.Run(name, func(t *testing.T) {
			url := scripted(t, func(n int, body string) (reply string, again bool) {
				if c.more == "" {
					return ok(body) + ok(body), true
				}
				return ok(body) + c.more, true
			})
			h := target(t, HTTPOptions{URL: url})
			report, err := Run(t.Context(), Workload{Target: h, Rate: 40, Lanes: 4, Duration: 100 * time.Millisecond})
			require.NoError(t, err)
			assert.EqualValues(t, 4, report.Requests)
			assert.Equal(t, c.want, report.Duplicate)
			assert.Equal(t, c.want == 0, report.OK())
		})
	}
}

// What a server says of its refusal is shown, but does not steer the terminal or fill it.
func TestReadable(t *testing.T) {
	assert.Equal(t, "nothing is served on this path", readable("nothing is served on this path"))
	assert.Equal(t, `"\x1b[31mred"`, readable("\x1b[31mred"))
	assert.Less(t, len(readable(strings.Repeat("x", 1<<20))), 1000)
}

// seen are the faults of some requests.
type seen struct{ lost, wrong, duplicate, reconnects int }

func (s *seen) add(v Verdict) {
	s.duplicate += v.Duplicates
	switch {
	case v.Wrong:
		s.wrong++
	case v.Outcome == Lost:
		s.lost++
	}
}

// A server that goes away loses what is in flight; lanes try to connect again until their deadlines.
func TestHTTPServerGoesAway(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2 { // the probe, and the lane
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := nethttp.ReadRequest(bufio.NewReader(conn))
			if err == nil {
				body, _ := io.ReadAll(request.Body)
				_, _ = io.WriteString(conn, ok(string(body)))
			}
			_ = conn.Close()
		}
		_ = listener.Close()
	}()
	h := target(t, HTTPOptions{URL: "http://" + listener.Addr().String()})
	report, err := Run(t.Context(), Workload{Target: h, Rate: 20, Lanes: 1, Duration: 500 * time.Millisecond})
	<-done
	require.NoError(t, err)
	assert.Positive(t, report.Lost)
	assert.Equal(t, report.Requests-1, report.Lost, "all but the first")
	assert.Contains(t, strings.Join(report.Faults, " "), "connecting again: ")
}

func TestHTTPS(t *testing.T) {
	server := httptest.NewTLSServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		assert.Equal(t, "Bearer x", r.Header.Get("Authorization"))
		assert.Equal(t, "text/plain", r.Header.Get("Content-Type"))
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	trusting := server.Client().Transport.(*nethttp.Transport).TLSClientConfig
	o := HTTPOptions{URL: server.URL, TLS: trusting, Method: "PUT", Header: nethttp.Header{"Authorization": {"Bearer x"}, "Content-Type": {"text/plain"}}}
	report, err := Run(t.Context(), Workload{Target: target(t, o), Rate: 100, Lanes: 2, Duration: 50 * time.Millisecond})
	require.NoError(t, err)
	assert.True(t, report.OK(), "%+v", report)

	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	o.TLS = nil
	_, err = Run(t.Context(), Workload{Target: target(t, o), Lanes: 2, Duration: 50 * time.Millisecond})
	assert.ErrorContains(t, err, "certificate signed by unknown authority")
}

func TestHTTPOptions(t *testing.T) {
	const url = "http://127.0.0.1:1/x"
	for want, o := range map[string]HTTPOptions{
		"is not a URL": {URL: "127.0.0.1:8080/data"},
		`"/data"`:      {URL: "/data"},
		"the scheme":   {URL: "ftp://h/x"},
		"with a user":  {URL: "http://u:secret@h/x"},
		"a #fragment":  {URL: "http://h/x#y"},
		"the method":   {URL: url, Method: "HEAD"},
		"neither echo": {URL: url, Expect: "yes"},
		"is not JSON":  {URL: url, Body: "{seq"},
		"a payload of 31 bytes, want 32 to 1048576": {URL: url, Payload: 31},
		"a payload of 1048577 bytes":                {URL: url, Payload: MaxPayload + 1},
		"a body of 1048578 bytes":                   {URL: url, Body: `"` + strings.Repeat("x", MaxPayload) + `"`},
		"cannot be echoed":                          {URL: url, Method: "GET"},
		"has a name that is none":                   {URL: url, Header: nethttp.Header{"a b": {"x"}}},
		"connection is not free":                    {URL: url, Header: nethttp.Header{"connection": {"x"}}},
		"has a control character":                   {URL: url, Header: nethttp.Header{"X-A": {"x\r\ny: z"}}},
	} {
		_, err := NewHTTP(o)
		if assert.ErrorContains(t, err, want) {
			assert.NotContains(t, err.Error(), "secret")
		}
	}
	_, err := NewHTTP(HTTPOptions{URL: "x", Method: "y", Expect: "z"})
	for _, want := range []string{"not a URL", "the method", "neither echo"} {
		assert.ErrorContains(t, err, want, "all at once")
	}
}

func TestHTTPAddresses(t *testing.T) {
	for url, want := range map[string][2]string{
		"http://h":                   {"h:80", "/"},
		"https://h?{seq}":            {"h:443", "/?{seq}"},
		"http://[::1]:8080/a/{seq}/": {"[::1]:8080", "/a/{seq}/"},
		"HTTP://h/%7Bx":              {"h:80", "/%7Bx"},
	} {
		h := target(t, HTTPOptions{URL: url})
		assert.Equal(t, want, [2]string{h.address, h.uri.String()}, url)
	}
}

// Whether a wrong answer would be noticed is in the report.
func TestChecked(t *testing.T) {
	for expect, want := range map[string]bool{"": true, ExpectEcho: true, ExpectAny: false, `{"a":1}`: false, `{"a":{seq}}`: true} {
		var r Report
		target(t, HTTPOptions{URL: "http://h", Expect: expect}).Describe(&r)
		assert.Equal(t, want, r.Checked, expect)
	}
}

func TestPayload(t *testing.T) {
	for _, size := range []int{0, MinPayload, 33, 1000, MaxPayload} {
		h := target(t, HTTPOptions{URL: "http://h", Payload: size})
		body := h.body.append(nil, firstSeq+5)
		assert.Len(t, body, max(size, MinPayload))
		_, err := decode(body)
		assert.NoError(t, err)
		assert.Contains(t, string(body), `"seq":1000000005`)
	}
	one, other := target(t, HTTPOptions{URL: "http://h"}), target(t, HTTPOptions{URL: "http://h"})
	assert.NotEqual(t, one.body.String(), other.body.String(), "answers to one are wrong for the other; one in a million may fail here")
}

func TestContains(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{`{"a":1}`, `{"a":1,"b":2}`, true},
		{`{"a":{"b":[{"c":null}]}}`, `{"a":{"b":[{"c":null,"d":1}]}}`, true},
		{`{"a":null}`, `{}`, false},
		{`{"a":1}`, `{"a":2}`, false},
		{`{"a":1}`, `{"a":"1"}`, false},
		{`{"a":1}`, `[1]`, false},
		{`[1]`, `[1,2]`, false},
		{`[1,2]`, `[1,3]`, false},
		{`[]`, `{}`, false},
		{`12345678901234567890`, `12345678901234567891`, false},
		{`true`, `true`, true},
	} {
		err := compare([]byte(c.want), []byte(c.got), contains)
		assert.Equal(t, c.same, err == nil, "%s in %s", c.want, c.got)
	}
}

func TestDescriptors(t *testing.T) {
	assert.NoError(t, enoughDescriptors(1))
	assert.ErrorContains(t, enoughDescriptors(1<<40), "ulimit -n")
}
