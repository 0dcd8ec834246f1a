//go:build peers

package peers

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dial says how a client connects. The zero value means: without security, anonymous, with a session.
type dial struct {
	Policy, Mode   string
	User, Password string
	URL            string        // empty: the plant's
	PKI            string        // folder of the client's certificate; empty: the one that plants trust
	Hint           time.Duration // the TimeoutHint of its requests; 0: 15 s
	TokenLifetime  time.Duration // 0: 10 min
	ChannelOnly    bool
	// Blind opens the channel without looking at the endpoints before, as a client does that does
	// not care what is offered.
	Blind bool
	// Buffer is how large chunks may be, in bytes. 0: 64 KiB.
	Buffer int
	// Reconnect lets the client mend its connection by itself.
	Reconnect bool
}

// client is a connection of node-opcua.
type client struct {
	t      testing.TB
	d      *driver
	name   string
	events chan event
	// sawSecret: the password went over the wire in the clear.
	sawSecret bool
	closed    bool
}

var clients atomic.Int64

func trustedPKI() string { return filepath.Join(scratch(), "client") }

// tryConnect connects, or says why not.
func (p *plant) tryConnect(o dial) (*client, error) {
	c := &client{t: p.t, d: theDriver(p.t), name: fmt.Sprint("client", clients.Add(1)), events: make(chan event, 1024)}
	arguments := map[string]any{
		"client": c.name, "url": p.url, "policy": "None", "mode": "None", "pki": trustedPKI(),
		"user": o.User, "password": o.Password, "channelOnly": o.ChannelOnly,
		"hint": o.Hint.Milliseconds(), "lifetime": o.TokenLifetime.Milliseconds(),
		"buffer": o.Buffer, "reconnect": o.Reconnect,
	}
	for name, value := range map[string]string{"policy": o.Policy, "mode": o.Mode, "url": o.URL, "pki": o.PKI} {
		if value != "" {
			arguments[name] = value
		}
	}
	if o.Blind {
		arguments["serverCertificate"] = p.certificate()
	}
	c.d.mu.Lock()
	c.d.events[c.name] = c.events
	c.d.mu.Unlock()
	var got struct{ SawSecret bool }
	err := c.d.do("connect", arguments, &got)
	c.sawSecret = got.SawSecret
	return c, err
}

// refused connects in vain, and returns the status that the server gives.
func (p *plant) refused(o dial) string {
	p.t.Helper()
	_, err := p.tryConnect(o)
	var why *refusal
	require.ErrorAs(p.t, err, &why)
	require.NotEmpty(p.t, why.Status, why.Message)
	return why.Status
}

// connect connects, and disconnects at the end of the test.
func (p *plant) connect(o dial) *client {
	p.t.Helper()
	c, err := p.tryConnect(o)
	require.NoError(p.t, err)
	p.t.Cleanup(func() {
		if !c.closed {
			c.close()
		}
	})
	return c
}

// in is the client in a subtest.
func (c *client) in(t testing.TB) *client {
	same := *c
	same.t = t
	return &same
}

func (c *client) do(what string, arguments map[string]any, out any) {
	c.t.Helper()
	if arguments == nil {
		arguments = map[string]any{}
	}
	arguments["client"] = c.name
	require.NoError(c.t, c.d.do(what, arguments, out), what)
}

// close closes session and channel in the proper way.
func (c *client) close() {
	c.t.Helper()
	c.closed = true
	c.do("close", nil, nil)
}

// cut tears the connection.
func (c *client) cut() {
	c.t.Helper()
	c.closed = true
	c.do("cut", nil, nil)
}

// next waits for an event of a kind and skips others.
func (c *client) next(kind string) event {
	c.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-c.events:
			if e.Event == kind {
				return e
			}
		case <-deadline:
			require.FailNow(c.t, "no event", "%s in %v: %s", kind, patience, c.d.said())
		}
	}
}

// sent is a request that may have no response yet.
type sent struct {
	c    *client
	id   int
	done <-chan reply
}

// request is a service request in the form of values.js.
type request struct {
	Service string // without "Request"
	Fields  map[string]any
	Hint    time.Duration // 0: the client's
	// Token is another client whose authentication token is used, or a token; "none": none at all.
	Token string
	// Diagnostics are the ReturnDiagnostics of the header.
	Diagnostics int
}

// send sends a request and does not wait.
func (c *client) send(r request) *sent {
	c.t.Helper()
	id, done, err := c.d.begin("request", map[string]any{
		"client": c.name, "service": r.Service, "fields": r.Fields, "hint": r.Hint.Milliseconds(), "token": r.Token,
		"diagnostics": r.Diagnostics,
	})
	require.NoError(c.t, err)
	return &sent{c, id, done}
}

// response waits for the response, of whatever kind it is.
func (s *sent) response(out any) {
	s.c.t.Helper()
	require.NoError(s.c.t, s.c.d.finish(s.done, out))
}

// ask sends a request and waits for its response, which must be of its own kind and Good.
func (c *client) ask(service string, fields map[string]any, out any) {
	c.t.Helper()
	s := c.send(request{Service: service, Fields: fields})
	var raw rawResponse
	s.response(&raw)
	raw.good(c.t, service)
	if out != nil {
		raw.into(c.t, out)
	}
}

// status sends a request and returns the service result of its response.
func (c *client) status(r request) string {
	c.t.Helper()
	var raw rawResponse
	c.send(r).response(&raw)
	return raw.header(c.t).ServiceResult
}
