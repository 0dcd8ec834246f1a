package opcua_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// FuzzServer plays programs of what a client does to a whole server, over connections in memory:
// the first byte says how far the client gets by the rules, each step after that is an action with
// bytes of its own. The server must neither panic nor hang, end the connection when the client is
// gone, and still answer another client.
func FuzzServer(f *testing.F) {
	s := newFuzzed(f)
	for level := range byte(levels) {
		f.Add([]byte{level})
		for action := range byte(actions) {
			f.Add([]byte{level, action, 0, 40, 'M', 'S', 'G', 'F', 40, 0, 0, 0, 1, 2, 3, action, 1, 4, 'a', 'b', 'c', 'd'})
		}
		f.Add([]byte{level, 6, 2, 3, 30, 0, 3, 28, 0, 3, 4, 0, 3, 6, 0, 3, 33, 0, 3, 32, 0, 6, 1})
		for i := range byte(60) { // requests as they should be, and with a byte changed
			f.Add([]byte{level, 3, i, 0, 3, i + 1, 0, 3, i, 3, 60 + i, 0xff, 1})
		}
	}
	first := bytes.Join([][]byte{{0}, helloFrame("opc.tcp://plant:4841"), openFrame(0, 1, ua.SecurityTokenRequestTypeIssue)}, nil)
	f.Add(first)
	f.Add(append(bytes.Clone(first), messageFrame(1, 1, 2, []byte{1, 0, 0xac, 1})...))
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) == 0 || len(program) > 4096 {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		pair := s.listener.pair()
		if program[0]%levels == 0 {
			throw(pair.client, program[1:])
		} else if c := s.enter(ctx, pair, program[0]); c != nil {
			play(ctx, c, program[1:])
			c.Abort()
		}
		_ = pair.client.Close()
		select {
		case <-pair.server.closed:
		case <-ctx.Done():
			t.Fatal("the server has not closed the connection")
		}
		response, err := s.bystander.Do(ctx, readState())
		if err != nil {
			t.Fatal("another client: ", err)
		}
		if state := response.(*ua.ReadResponse).Results[0].Value.Value(); state != int32(0) {
			t.Fatal("the state of the server is ", state)
		}
	})
}

// fuzzed is a server, with a client that behaves.
type fuzzed struct {
	listener  *pipes
	bystander *rawclient.Client
	idle      time.Duration // how long a new session may be
}

func newFuzzed(f *testing.F) *fuzzed {
	// The bystander is idle while an input plays, and while the fuzzing pauses: more than a second.
	s := &fuzzed{listener: &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}, idle: time.Hour}
	must := func(err error) {
		if err != nil {
			f.Fatal(err)
		}
	}
	bus, err := mem.New(mem.Options{})
	must(err)
	f.Cleanup(func() { must(bus.Close()) })
	engine, err := core.New(bus, core.Options{})
	must(err)
	f.Cleanup(func() { must(engine.Close()) })
	server, err := opcua.New(opcua.Options{
		Engine: engine, Root: fuzzTree(f, engine), Anonymous: true, MaxSessions: 100_000, Logger: quiet(),
		Security: []opcua.Security{{Policy: "None", Mode: "None"}},
	})
	must(err)
	for _, answered := range []string{"Speed", "Start", "Once"} { // the others are held until the client is gone
		_, err := bus.Respond("works/"+answered, func(r *mem.Request) { _ = r.Answer(nil) })
		must(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(s.listener); err != nil {
			f.Error(err)
		}
	})
	f.Cleanup(func() { must(server.Close()); serving.Wait() })
	s.bystander = s.enter(context.Background(), s.listener.pair(), levels-1)
	if s.bystander == nil {
		f.Fatal("nobody can log in")
	}
	f.Cleanup(s.bystander.Close)
	s.idle = time.Second // of those who play
	return s
}

func fuzzTree(f *testing.F, engine *core.Engine) *opcua.Node {
	root := &opcua.Node{Class: opcua.Object, BrowseName: "Works"}
	double, err1 := opcua.ParseDataType("Double", -1)
	list, err2 := opcua.ParseDataType("String", 1)
	text, err3 := opcua.ParseDataType("String", -1)
	if err := errors.Join(err1, err2, err3); err != nil {
		f.Fatal(err)
	}
	for _, n := range []*opcua.Node{
		{Class: opcua.Variable, BrowseName: "Speed", DataType: double},
		{Class: opcua.Variable, BrowseName: "List", DataType: list, Initial: []byte(`["a","bc"]`)},
		{Class: opcua.Method, BrowseName: "Start", Inputs: []opcua.Argument{{Name: "v", DataType: double}}},
		{Class: opcua.Method, BrowseName: "One", Outputs: []opcua.Argument{{Name: "v", DataType: list}}},
		{Class: opcua.Method, BrowseName: "Once", Inputs: []opcua.Argument{{Name: "idempotencyKey", DataType: text}, {Name: "v", DataType: double}}},
	} {
		node, err := engine.AddNode(core.NodeOptions{Name: n.BrowseName, Topic: "works/" + n.BrowseName, Timeout: time.Minute, Inspect: opcua.Inspect(n)})
		if err != nil {
			f.Fatal(err)
		}
		n.Transaction = &opcua.Transaction{Node: node, Read: n.BrowseName == "List", Keys: n.BrowseName == "Once"}
		root.Children = append(root.Children, n)
	}
	root.Children = append(root.Children, &opcua.Node{
		Class: opcua.Variable, BrowseName: "Note", DataType: list, Receive: func([]byte) error { return nil },
	})
	return root
}

// fuzzRequests are requests that are right, to be changed. Some are about a subscription.
func fuzzRequests(subscription uint32) []ua.Request {
	some := []uint32{subscription}
	view := &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}
	browse := &ua.BrowseDescription{NodeID: ua.NewStringNodeID(1, "Works"), ReferenceTypeID: ua.NewTwoByteNodeID(33), IncludeSubtypes: true, ResultMask: 63}
	signature := &ua.SignatureData{}
	filtered := monitored(at("Speed"), 20)
	filtered.RequestedParameters.Filter = ua.NewExtensionObject(&ua.DataChangeFilter{Trigger: ua.DataChangeTriggerStatusValue, DeadbandType: uint32(ua.DeadbandTypeAbsolute), DeadbandValue: 0.5})
	return []ua.Request{
		readState(), read("Speed", ""), read("List", "0:1"), read("Note", "0,0:1"),
		write("Speed", 1.5), write("List", []string{"x", "y"}), write("Note", []string{"a", "b", "c"}),
		call("Works", "Works.Start", 1.5), call("Works", "Works.One"), call("Works", "Works.One", nil), call("Works", "Works.Once", "key", 1.5), call("Works", "Works.Once", nil, 2.5),
		&ua.CancelRequest{RequestHandle: 0}, &ua.CloseSessionRequest{DeleteSubscriptions: true}, &ua.CloseSessionRequest{},
		&ua.GetEndpointsRequest{EndpointURL: "opc.tcp://plant:4841/x"}, &ua.FindServersRequest{EndpointURL: "opc.tcp://plant:4841"},
		&ua.CreateSessionRequest{ClientDescription: &ua.ApplicationDescription{ApplicationName: &ua.LocalizedText{}}, RequestedSessionTimeout: 1000},
		&ua.ActivateSessionRequest{ClientSignature: signature, UserIdentityToken: ua.NewExtensionObject(&ua.AnonymousIdentityToken{PolicyID: "anonymous"}), UserTokenSignature: signature},
		&ua.BrowseRequest{View: view, RequestedMaxReferencesPerNode: 1, NodesToBrowse: []*ua.BrowseDescription{browse}},
		&ua.BrowseNextRequest{ContinuationPoints: [][]byte{{1, 0, 0, 0, 0, 0, 0, 0}}},
		&ua.TranslateBrowsePathsToNodeIDsRequest{BrowsePaths: []*ua.BrowsePath{{StartingNode: ua.NewTwoByteNodeID(85), RelativePath: &ua.RelativePath{Elements: []*ua.RelativePathElement{
			{ReferenceTypeID: ua.NewTwoByteNodeID(33), IncludeSubtypes: true, TargetName: &ua.QualifiedName{NamespaceIndex: 1, Name: "Works"}},
		}}}}},
		&ua.RegisterNodesRequest{NodesToRegister: []*ua.NodeID{at("Speed")}}, &ua.UnregisterNodesRequest{NodesToUnregister: []*ua.NodeID{at("Speed")}},
		&ua.CreateSubscriptionRequest{RequestedPublishingInterval: 10, RequestedLifetimeCount: 30, RequestedMaxKeepAliveCount: 1, PublishingEnabled: true},
		&ua.ModifySubscriptionRequest{SubscriptionID: subscription, RequestedPublishingInterval: 20}, &ua.DeleteSubscriptionsRequest{SubscriptionIDs: some},
		&ua.SetPublishingModeRequest{SubscriptionIDs: some}, &ua.RepublishRequest{SubscriptionID: subscription, RetransmitSequenceNumber: 1},
		&ua.TransferSubscriptionsRequest{SubscriptionIDs: some, SendInitialValues: true},
		&ua.PublishRequest{}, &ua.PublishRequest{SubscriptionAcknowledgements: []*ua.SubscriptionAcknowledgement{{SubscriptionID: subscription, SequenceNumber: 1}}},
		&ua.CreateMonitoredItemsRequest{SubscriptionID: subscription, ItemsToCreate: []*ua.MonitoredItemCreateRequest{monitored(at("Speed"), 10), monitored(at("Note"), 0)}},
		&ua.CreateMonitoredItemsRequest{SubscriptionID: subscription, TimestampsToReturn: ua.TimestampsToReturnBoth, ItemsToCreate: []*ua.MonitoredItemCreateRequest{filtered}},
		&ua.ModifyMonitoredItemsRequest{SubscriptionID: subscription, ItemsToModify: []*ua.MonitoredItemModifyRequest{{MonitoredItemID: 1, RequestedParameters: filtered.RequestedParameters}}},
		&ua.ModifyMonitoredItemsRequest{SubscriptionID: subscription}, &ua.DeleteMonitoredItemsRequest{SubscriptionID: subscription, MonitoredItemIDs: []uint32{1}},
		&ua.SetMonitoringModeRequest{SubscriptionID: subscription, MonitoringMode: ua.MonitoringModeSampling, MonitoredItemIDs: []uint32{1}},
	}
}

// How far a client gets by the rules: connected, hello, channel, session, activated.
const levels = 5

// throw writes bytes to a connection on which nothing was said, and reads what comes back.
func throw(conn net.Conn, b []byte) {
	var reading sync.WaitGroup
	reading.Go(func() { _, _ = io.Copy(io.Discard, conn) })
	_, _ = conn.Write(b)
	_ = conn.Close()
	reading.Wait()
}

// enter makes a client that has got so far; nil: it did not.
func (s *fuzzed) enter(ctx context.Context, pair pair, level byte) *rawclient.Client {
	o := rawclient.Options{
		Endpoint: "opc.tcp://plant:4841/UA", Timeout: 5 * time.Second, WriteTimeout: time.Second,
		Connect: func(context.Context) (net.Conn, error) { return pair.client, nil },
	}
	var c *rawclient.Client
	var err error
	if level %= levels; level == 1 {
		c, err = rawclient.Connect(ctx, o)
	} else {
		c, err = rawclient.Dial(ctx, o)
	}
	if err != nil {
		return nil
	}
	var session *rawclient.Session
	if level > 2 {
		if session, err = c.CreateSession(ctx, s.idle); err == nil {
			c.Use(session.Token)
		}
	}
	if err == nil && level > 3 {
		err = c.Activate(ctx, session, rawclient.Identity{})
	}
	if err != nil {
		c.Abort()
		return nil
	}
	return c
}

// actions is how many there are in play.
const actions = 7

// play does what the program says, until it ends or the connection does.
func play(ctx context.Context, c *rawclient.Client, program []byte) {
	tape, requests := tape(program), fuzzRequests(0)
	for len(tape) > 0 && c.Err() == nil {
		switch tape.next() % actions {
		case 0: // any bytes
			_ = c.WriteRaw(tape.some())
		case 1: // a request with any body
			_, _ = c.SendBody(tape.some())
		case 2: // any chunk
			kind, chunk := []string{"MSG", "CLO", "OPN", "HEL", "ERR"}[tape.next()%5], "FCA?"[tape.next()%4]
			_ = c.SendChunk(kind, chunk, uint32(tape.next()), tape.some())
		case 3: // a request, of which some bytes are changed
			body, err := c.Encode(requests[int(tape.next())%len(requests)])
			if err != nil {
				panic(err) // the list is ours
			}
			for range tape.next() % 4 {
				body[int(tape.next())%len(body)] ^= tape.next()
			}
			_, _ = c.SendBody(body)
		case 4: // a request of which the rest is missing, or more
			body, err := c.Encode(requests[int(tape.next())%len(requests)])
			if err != nil {
				panic(err)
			}
			cut := int(tape.next()) % len(body)
			_, _ = c.SendBody(append(body[:len(body)-cut], tape.some()...))
		case 5:
			c.SkipSequence(uint32(tape.next() % 4))
		case 6: // wait until the server has got so far
			ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond) // it may wait for the rest of something
			switch tape.next() % 3 {
			case 0:
				_ = c.Renew(ctx)
			case 1:
				_, _ = c.Do(ctx, &ua.GetEndpointsRequest{})
			case 2:
				response, _ := c.Do(ctx, &ua.CreateSubscriptionRequest{RequestedPublishingInterval: 10, PublishingEnabled: true})
				if created, ok := response.(*ua.CreateSubscriptionResponse); ok {
					requests = fuzzRequests(created.SubscriptionID)
				}
			}
			cancel()
		}
	}
}

// tape is the rest of a program; its end reads as zeros.
type tape []byte

func (t *tape) next() byte {
	if len(*t) == 0 {
		return 0
	}
	b := (*t)[0]
	*t = (*t)[1:]
	return b
}

// some takes a number of bytes that the next one says.
func (t *tape) some() []byte {
	n := min(int(t.next()), len(*t))
	b := bytes.Clone((*t)[:n])
	*t = (*t)[n:]
	return b
}

// pipes is a listener for connections in memory.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	mu     sync.Mutex // guards all below
	last   int
}

// pair is a connection with its two ends.
type pair struct {
	client net.Conn
	server *serverEnd
}

// serverEnd says when the server has closed it. It has a name of its own, as sockets do.
type serverEnd struct {
	net.Conn
	name   address
	once   sync.Once
	closed chan struct{}
}

func (e *serverEnd) Close() error {
	defer e.once.Do(func() { close(e.closed) })
	return e.Conn.Close()
}

func (e *serverEnd) RemoteAddr() net.Addr { return e.name }

type address string

func (a address) Network() string { return "pipe" }
func (a address) String() string  { return string(a) }

// pair makes a connection, which the server has accepted then.
func (p *pipes) pair() pair {
	p.mu.Lock()
	p.last++
	name := address(fmt.Sprint("client ", p.last))
	p.mu.Unlock()
	client, server := net.Pipe()
	end := &serverEnd{Conn: server, name: name, closed: make(chan struct{})}
	p.conns <- end
	return pair{client, end}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return address("pipes") }
