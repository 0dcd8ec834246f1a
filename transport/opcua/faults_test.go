package opcua_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uasc"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// What strangers can do to a server without logging in, and what those do who are let in and mean
// harm. Beside each of it a client that behaves goes on reading.

// handshake is how long the servers of these tests give a connection to open its channel.
const handshake = 300 * time.Millisecond

func TestFaults(t *testing.T) {
	h := build(t, func(h *house, o *opcua.Options) {
		echo(h, o)
		o.HandshakeTimeout, o.WriteTimeout = handshake, time.Second
	})
	for _, f := range []struct {
		name   string
		attack func(*house)
	}{
		{"connections that are reset before or during the handshake", resetHandshakes},
		{"connections that say nothing", silentConnections},
		{"connections that stop in the middle of a message", halfMessages},
		{"what is no message, or comes at the wrong time", wrongFrames},
		{"wrong sequence numbers", wrongSequence},
		{"chunks without end", chunksWithoutEnd},
		{"chunks that are aborted, for ever", abortedChunks},
		{"channels of others, tokens that there are not", wrongChannels},
		{"many channels", manyChannels},
		{"many first OPN", manyOpenings},
		{"many renewals", manyRenewals},
		{"renewals that nobody waits for", renewalFlood},
		{"sessions that are never activated", unactivatedSessions},
		{"guessed session tokens", guessedTokens},
		{"discovery with long URLs", longURLs},
		{"services that need a session, without one", func(h *house) { h.requests(h.client(nil)) }},
		{"what its services do not expect, logged in", func(h *house) { h.requests(h.login(nil)) }},
		{"bodies that end a process that decodes them, without a session", func(h *house) { h.bodies(h.client(nil), strangers) }},
		{"bodies that end a process that decodes them, logged in", func(h *house) { h.bodies(h.login(nil), math.MaxInt) }},
	} {
		t.Run(f.name, func(t *testing.T) { h.in(t).unharmed(f.attack) })
	}
}

// in is the house for a sub-test, with time of its own.
func (h *house) in(t *testing.T) *house {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	sub := *h
	sub.t, sub.ctx = t, ctx
	return &sub
}

// unharmed has attack done, and requires that a client beside it is not disturbed, and that
// memory and goroutines are what they were before.
func (h *house) unharmed(attack func(*house)) {
	h.t.Helper()
	b := h.watch()
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	h.t.Run("attack", func(t *testing.T) { attack(h.in(t)) }) // which closes its clients
	const asking = 1                                          // goroutine, on which Eventually asks
	require.Eventually(h.t, func() bool { return runtime.NumGoroutine() <= goroutines+asking },
		patience/2, 5*time.Millisecond, "goroutines remain")
	after := heapInUse()
	b.stop()
	h.t.Logf("beside it %d Reads, the worst took %v; heap before %d KiB, after %d KiB", b.reads, b.worst, heap>>10, after>>10)
	require.NoError(h.t, b.err)
	require.Positive(h.t, b.reads)
	require.Less(h.t, b.worst, time.Second, "the longest that the client beside it waited")
	require.LessOrEqual(h.t, after, heap*12/10+16<<20)
}

// bystander is a client that behaves: every 5 ms it reads the state of the server.
type bystander struct {
	stop  func() // and wait; what follows can be looked at then
	reads int
	worst time.Duration
	err   error
}

func (h *house) watch() *bystander {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.ctx)
	b, c, done := &bystander{}, h.login(nil), make(chan struct{})
	b.stop = func() { cancel(); <-done }
	h.t.Cleanup(b.stop)
	b.read(h, c) // what both sides start the first time is not the attack's
	go func() {
		defer close(done)
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for b.err == nil {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				b.read(h, c)
			}
		}
	}()
	return b
}

func (b *bystander) read(h *house, c *rawclient.Client) {
	start := time.Now()
	response, err := c.Do(h.ctx, readState())
	b.reads++
	b.worst = max(b.worst, time.Since(start))
	if b.err = err; err == nil {
		if state := response.(*ua.ReadResponse).Results[0].Value.Value(); state != int32(0) {
			b.err = fmt.Errorf("the state of the server is %v", state)
		}
	}
}

// dial makes a connection on which nothing has been said.
func (h *house) dial() *net.TCPConn {
	h.t.Helper()
	host, _, _ := strings.Cut(strings.TrimPrefix(h.address, "opc.tcp://"), "/")
	conn, err := new(net.Dialer).DialContext(h.ctx, "tcp", host)
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(h.t, conn.SetDeadline(time.Now().Add(patience)))
	return conn.(*net.TCPConn)
}

// cutOff waits until the server closes the connection; what it says until then is returned.
func (h *house) cutOff(conn net.Conn) []byte {
	h.t.Helper()
	said, err := io.ReadAll(conn)
	var timeout net.Error
	require.False(h.t, errors.As(err, &timeout) && timeout.Timeout(), "the connection was not closed")
	return said
}

// ended waits until a client was cut off and returns the status that the server gave; OK: none.
func (h *house) ended(c *rawclient.Client) ua.StatusCode {
	h.t.Helper()
	next(h, c.Done(), "the end of the connection")
	var status ua.StatusCode // OK if it gave none
	errors.As(c.Err(), &status)
	return status
}

// Frames as a client without security writes them.

func frame(kind string, chunk byte, body ...[]byte) []byte {
	b := append([]byte(kind), chunk, 0, 0, 0, 0)
	b = append(b, bytes.Join(body, nil)...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	return b
}

func numbers(values ...uint32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

func text(s string) []byte { return append(numbers(uint32(len(s))), s...) }

func helloFrame(url string) []byte {
	return frame("HEL", 'F', numbers(0, 65_535, 65_535, 0, 0), text(url))
}

func openFrame(channel, sequence uint32, kind ua.SecurityTokenRequestType) []byte {
	header, err := (&uasc.AsymmetricSecurityHeader{SecurityPolicyURI: ua.SecurityPolicyURINone}).Encode()
	if err != nil {
		panic(err)
	}
	body, err := ua.Encode(&ua.OpenSecureChannelRequest{
		RequestHeader: &ua.RequestHeader{AuthenticationToken: ua.NewTwoByteNodeID(0), AdditionalHeader: ua.NewExtensionObject(nil)},
		RequestType:   kind, SecurityMode: ua.MessageSecurityModeNone, RequestedLifetime: 3_600_000,
	})
	if err != nil {
		panic(err)
	}
	return frame("OPN", 'F', numbers(channel), header, numbers(sequence, sequence), []byte{1, 0, 0xbe, 0x01}, body)
}

func messageFrame(channel, token, sequence uint32, body []byte) []byte {
	return frame("MSG", 'F', numbers(channel, token, sequence, sequence), body)
}

func resetHandshakes(h *house) {
	hello := helloFrame(h.address)
	openings := append(bytes.Clone(hello), openFrame(0, 1, ua.SecurityTokenRequestTypeIssue)...)
	for i := range 300 {
		conn := h.dial()
		_, err := conn.Write(openings[:i*len(openings)/300])
		require.NoError(h.t, err)
		require.NoError(h.t, conn.SetLinger(0)) // closing resets
		require.NoError(h.t, conn.Close())
	}
	h.login(nil)
}

func silentConnections(h *house) {
	conns := make([]net.Conn, 500) // more than there are places
	for i := range conns {
		conns[i] = h.dial()
	}
	start := time.Now()
	h.login(nil)
	require.Less(h.t, time.Since(start), time.Second)
	for _, conn := range conns {
		h.cutOff(conn)
	}
	h.login(nil)
}

func halfMessages(h *house) {
	hello := helloFrame(h.address)
	opening := append(bytes.Clone(hello), openFrame(0, 1, ua.SecurityTokenRequestTypeIssue)...)
	var conns []net.Conn
	for cut := 1; cut < len(opening); cut += 2 {
		conn := h.dial()
		_, err := conn.Write(opening[:cut])
		require.NoError(h.t, err)
		conns = append(conns, conn)
	}
	// Those with a channel may take their time: the token's.
	for range 50 {
		c := h.client(nil)
		channel, token := c.Token()
		half := messageFrame(channel, token, 3, make([]byte, 60_000))
		require.NoError(h.t, c.WriteRaw(half[:30_000]))
	}
	h.login(nil)
	for _, conn := range conns {
		h.cutOff(conn)
	}
}

func wrongFrames(h *house) {
	hello, open := helloFrame(h.address), openFrame(0, 1, ua.SecurityTokenRequestTypeIssue)
	sized := func(size uint32) []byte {
		f := bytes.Clone(hello)
		binary.LittleEndian.PutUint32(f[4:], size)
		return f
	}
	for name, bytesSent := range map[string][]byte{
		"HTTP":                       []byte("GET / HTTP/1.1\r\nHost: plant\r\n\r\n"),
		"TLS":                        {0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3},
		"OPN without HEL":            open,
		"MSG without HEL":            messageFrame(1, 1, 1, make([]byte, 100)),
		"MSG without OPN":            append(bytes.Clone(hello), messageFrame(1, 1, 1, make([]byte, 100))...),
		"CLO without OPN":            append(bytes.Clone(hello), frame("CLO", 'F', numbers(1, 1, 1, 1))...),
		"two HEL":                    append(bytes.Clone(hello), hello...),
		"an ACK from the client":     frame("ACK", 'F', numbers(0, 65_535, 65_535, 0, 0)),
		"an ERR from the client":     frame("ERR", 'F', numbers(uint32(ua.StatusBadTCPInternalError)), text("")),
		"HEL of size 0":              sized(0),
		"HEL of size 7":              sized(7),
		"HEL of 2 GiB":               sized(math.MaxInt32),
		"HEL of 4 GiB":               sized(math.MaxUint32),
		"HEL in parts":               frame("HEL", 'C', numbers(0, 65_535, 65_535, 0, 0), text(h.address)),
		"HEL with tiny buffers":      frame("HEL", 'F', numbers(0, 1, 1, 0, 0), text(h.address)),
		"HEL with a URL of -2 bytes": frame("HEL", 'F', numbers(0, 65_535, 65_535, 0, 0, 0xfffffffe)),
		"HEL with a URL of 2 GiB":    frame("HEL", 'F', numbers(0, 65_535, 65_535, 0, 0, math.MaxInt32)),
		"OPN of another policy":      append(bytes.Clone(hello), frame("OPN", 'F', numbers(0), text("http://opcfoundation.org/UA/SecurityPolicy#Basic128Rsa15"), numbers(0xffffffff, 0xffffffff), make([]byte, 256))...),
		"OPN with a policy of 2 GiB": append(bytes.Clone(hello), frame("OPN", 'F', numbers(0, math.MaxInt32))...),
		"OPN of 60 000 bytes":        append(bytes.Clone(hello), frame("OPN", 'F', make([]byte, 60_000))...),
		"OPN that renews nothing":    append(bytes.Clone(hello), openFrame(0, 1, ua.SecurityTokenRequestTypeRenew)...),
		"OPN for another channel":    append(bytes.Clone(hello), openFrame(4711, 1, ua.SecurityTokenRequestTypeIssue)...),
	} {
		start := time.Now()
		conn := h.dial()
		_, err := conn.Write(bytesSent)
		require.NoError(h.t, err, name)
		require.NoError(h.t, conn.CloseWrite(), name)
		h.cutOff(conn)
		require.Less(h.t, time.Since(start), time.Second, name)
	}
}

func wrongSequence(h *house) {
	request, err := h.client(nil).Encode(&ua.GetEndpointsRequest{EndpointURL: h.address})
	require.NoError(h.t, err)
	// One number left out, the same one again, a step back, half way around, and around too early.
	for _, skip := range []uint32{1, math.MaxUint32, math.MaxUint32 - 1, 1 << 31, math.MaxUint32 - 5} {
		c := h.client(nil)
		c.SkipSequence(skip)
		_, err := c.SendBody(request)
		require.NoError(h.t, err)
		require.Equal(h.t, ua.StatusBadSequenceNumberInvalid, h.ended(c), skip)
	}
	c := h.client(nil) // a renewal with a number left out
	c.SkipSequence(7)
	require.Error(h.t, c.Renew(h.ctx))
	require.Equal(h.t, ua.StatusBadSequenceNumberInvalid, h.ended(c))
}

func chunksWithoutEnd(h *house) {
	for _, size := range []int{0, 1, 1000, 60_000} {
		c := h.client(nil)
		part := make([]byte, size)
		sent := 0
		for ; sent < 10_000; sent++ {
			if err := c.SendChunk("MSG", 'C', 77, part); err != nil {
				break
			}
		}
		h.tooLarge(c)
	}
	c := h.client(nil) // requests that are mixed
	require.NoError(h.t, c.SendChunk("MSG", 'C', 77, make([]byte, 100)))
	require.NoError(h.t, c.SendChunk("MSG", 'C', 78, make([]byte, 100)))
	require.Equal(h.t, ua.StatusBadTCPMessageTypeInvalid, h.ended(c))
	var began []*rawclient.Client // many that begin a long request and leave it at that
	for range 50 {
		c := h.client(nil)
		for range 2 {
			require.NoError(h.t, c.SendChunk("MSG", 'C', 77, make([]byte, 60_000)))
		}
		began = append(began, c)
	}
	h.login(nil)
	for _, c := range began {
		require.NoError(h.t, c.Err())
		c.Abort()
	}
}

func abortedChunks(h *house) {
	c := h.client(nil)
	for range 3000 {
		require.NoError(h.t, c.SendChunk("MSG", 'C', 77, make([]byte, 1000)))
		require.NoError(h.t, c.SendChunk("MSG", 'A', 77, numbers(0, 0xffffffff)))
	}
	ask[*ua.GetEndpointsResponse](h, c, &ua.GetEndpointsRequest{EndpointURL: h.address})
}

func wrongChannels(h *house) {
	victim := h.login(nil)
	channel, token := victim.Token()
	request, err := victim.Encode(readState()) // with the session token of the victim
	require.NoError(h.t, err)
	for _, f := range [][]byte{
		messageFrame(channel, token, 3, request),
		openFrame(channel, 3, ua.SecurityTokenRequestTypeRenew),
		frame("CLO", 'F', numbers(channel, token, 3, 3), request),
	} {
		c := h.client(nil)
		require.NoError(h.t, c.WriteRaw(f))
		require.Equal(h.t, ua.StatusBadTCPSecureChannelUnknown, h.ended(c))
	}
	c := h.client(nil)
	own, _ := c.Token()
	require.NoError(h.t, c.WriteRaw(messageFrame(own, 4711, 2, request)))
	require.Equal(h.t, ua.StatusBadSecureChannelTokenUnknown, h.ended(c))

	c = h.client(nil) // the token of somebody else, over a channel of one's own
	_, err = c.DoBody(h.ctx, request)
	require.ErrorIs(h.t, err, ua.StatusBadSecureChannelIDInvalid)
	ask[*ua.ReadResponse](h, victim, readState())
}

func manyChannels(h *house) {
	for i := range 500 {
		c, err := rawclient.Dial(h.ctx, rawclient.Options{Endpoint: h.address})
		require.NoError(h.t, err)
		switch i % 3 {
		case 0:
			c.Close()
		case 1:
			c.Reset()
		default:
			c.Abort()
		}
	}
	var open []*rawclient.Client // more than there are places
	for range 300 {
		open = append(open, h.client(nil))
	}
	h.login(nil)
	for _, c := range open {
		c.Abort()
	}
}

func manyOpenings(h *house) {
	opening := append(helloFrame(h.address), openFrame(0, 1, ua.SecurityTokenRequestTypeIssue)...)
	for range 300 {
		_, err := h.dial().Write(opening) // and does not read the answer
		require.NoError(h.t, err)
	}
	h.login(nil)
	conn := h.dial() // the first OPN again and again
	_, _ = conn.Write(append(bytes.Clone(opening), bytes.Repeat(openFrame(0, 1, ua.SecurityTokenRequestTypeIssue), 1000)...))
	h.cutOff(conn)
}

func manyRenewals(h *house) {
	c := h.login(nil)
	for range 300 {
		require.NoError(h.t, c.Renew(h.ctx))
		ask[*ua.ReadResponse](h, c, readState())
	}
}

// rawChannel opens a channel whose frames the caller writes himself; their sequence numbers go on
// from 1, and its token is the first.
func (h *house) rawChannel() (conn *net.TCPConn, channel uint32) {
	h.t.Helper()
	conn = h.dial()
	_, err := conn.Write(append(helloFrame(h.address), openFrame(0, 1, ua.SecurityTokenRequestTypeIssue)...))
	require.NoError(h.t, err)
	const ack = 28 // bytes; then comes the OPN, which begins with the id of the channel
	head := make([]byte, ack+12)
	_, err = io.ReadFull(conn, head)
	require.NoError(h.t, err)
	return conn, binary.LittleEndian.Uint32(head[ack+8:])
}

func renewalFlood(h *house) {
	conn, channel := h.rawChannel()
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	for n := range uint32(5000) {
		_, err := conn.Write(openFrame(channel, n+2, ua.SecurityTokenRequestTypeRenew))
		require.NoError(h.t, err)
	}
}

func unactivatedSessions(h *house) {
	const n = 1000
	var answered atomic.Int64
	done := make(chan struct{})
	c := h.client(func(r rawclient.Response) {
		if _, err := r.Decode(); err == nil && answered.Add(1) == n {
			close(done)
		}
	})
	for range n {
		_, err := c.Send(&ua.CreateSessionRequest{
			ClientDescription: &ua.ApplicationDescription{ApplicationName: &ua.LocalizedText{}},
			EndpointURL:       h.address, RequestedSessionTimeout: math.Inf(1),
		})
		require.NoError(h.t, err)
	}
	next(h, done, "all sessions, each in place of another")
	h.login(nil)
}

func guessedTokens(h *house) {
	const n = 2000
	var refused, all atomic.Int64
	done := make(chan struct{})
	c := h.client(func(r rawclient.Response) {
		if _, err := r.Decode(); errors.Is(err, ua.StatusBadSessionIDInvalid) {
			refused.Add(1)
		}
		if all.Add(1) == n {
			close(done)
		}
	})
	guess := make([]byte, 32)
	requests := []ua.Request{readState(), call("Press", "Press.Ask", "4711"), &ua.CancelRequest{}, &ua.CloseSessionRequest{}}
	for i := range n {
		_, _ = rand.Read(guess[:i%33]) // never fails
		request := requests[i%len(requests)]
		request.SetHeader(&ua.RequestHeader{AuthenticationToken: ua.NewByteStringNodeID(0, bytes.Clone(guess[:i%33]))})
		_, err := c.Send(request)
		require.NoError(h.t, err)
	}
	next(h, done, "all answers")
	require.EqualValues(h.t, n, refused.Load())
}

func longURLs(h *house) {
	c := h.login(nil)
	long := strings.Repeat("x", 1<<20-100)
	for _, url := range []string{long, "opc.tcp://" + long, "opc.tcp://" + long[:5000] + ":4840/", "opc.tcp://[::1/%zz", "\x00\xff"} {
		response := ask[*ua.GetEndpointsResponse](h, c, &ua.GetEndpointsRequest{EndpointURL: url})
		require.LessOrEqual(h.t, len(response.Endpoints[0].EndpointURL), 4096+64)
		servers := ask[*ua.FindServersResponse](h, c, &ua.FindServersRequest{EndpointURL: url})
		require.LessOrEqual(h.t, len(servers.Servers[0].DiscoveryURLs[0]), 4096+64)
	}
	uris := make([]string, 65_535)
	require.Empty(h.t, ask[*ua.FindServersResponse](h, c, &ua.FindServersRequest{ServerURIs: uris}).Servers)
	require.Empty(h.t, ask[*ua.GetEndpointsResponse](h, c, &ua.GetEndpointsRequest{ProfileURIs: uris}).Endpoints)
	_, err := c.Do(h.ctx, &ua.FindServersRequest{ServerURIs: append(uris, "one more")})
	require.ErrorIs(h.t, err, ua.StatusBadEncodingLimitsExceeded)
	stranger := h.client(nil) // who may not send as much
	_, err = stranger.Do(h.ctx, &ua.GetEndpointsRequest{EndpointURL: long})
	require.Error(h.t, err)
	h.tooLarge(stranger)
}

// tooLarge requires that a client was cut off because of a request that was too large. The reset
// that answers who goes on for more than a MiB may overtake the status.
func (h *house) tooLarge(c *rawclient.Client) {
	h.t.Helper()
	require.Contains(h.t, []ua.StatusCode{ua.StatusBadRequestTooLarge, ua.StatusOK}, h.ended(c))
}

// requests asks for what has ended other servers.
func (h *house) requests(c *rawclient.Client) {
	nowhere := ua.NewNumericNodeID(99, 1)
	var all []ua.Request
	for _, id := range []*ua.NodeID{nowhere, ua.NewStringNodeID(1, "no such node"), ua.NewStringNodeID(1, ""), ua.NewTwoByteNodeID(0)} {
		all = append(all,
			&ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{NodeID: id, AttributeID: ua.AttributeIDValue, Value: written(1.5)}}},
			&ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: id, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}}},
			&ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{ObjectID: id, MethodID: id}}},
			&ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}, NodesToBrowse: []*ua.BrowseDescription{{NodeID: id, ReferenceTypeID: nowhere}}},
			&ua.CreateMonitoredItemsRequest{SubscriptionID: 1, ItemsToCreate: []*ua.MonitoredItemCreateRequest{monitored(id, 0)}},
		)
	}
	for _, interval := range []float64{0, -1, math.NaN(), math.Inf(1), math.Inf(-1), 1e308, 5e-324} {
		all = append(all,
			&ua.CreateSubscriptionRequest{RequestedPublishingInterval: interval},
			&ua.CreateSubscriptionRequest{
				RequestedPublishingInterval: interval, RequestedLifetimeCount: math.MaxUint32, RequestedMaxKeepAliveCount: math.MaxUint32,
				MaxNotificationsPerPublish: math.MaxUint32, PublishingEnabled: true, Priority: 255,
			},
			&ua.ModifySubscriptionRequest{SubscriptionID: 4711, RequestedPublishingInterval: interval},
			&ua.CreateMonitoredItemsRequest{SubscriptionID: 4711, ItemsToCreate: []*ua.MonitoredItemCreateRequest{monitored(ua.NewNumericNodeID(0, 2258), interval)}},
			&ua.ReadRequest{MaxAge: interval, NodesToRead: readState().NodesToRead},
		)
	}
	all = append(all,
		&ua.SetMonitoringModeRequest{SubscriptionID: 4711, MonitoringMode: ua.MonitoringModeReporting, MonitoredItemIDs: []uint32{0, 1, math.MaxUint32}},
		&ua.SetMonitoringModeRequest{MonitoringMode: 99},
		&ua.SetPublishingModeRequest{SubscriptionIDs: []uint32{0, 4711}},
		&ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{0, 4711, 4711}},
		&ua.DeleteMonitoredItemsRequest{SubscriptionID: 4711, MonitoredItemIDs: []uint32{0}},
		&ua.ModifyMonitoredItemsRequest{SubscriptionID: 4711},
		&ua.TransferSubscriptionsRequest{SubscriptionIDs: []uint32{0, 4711}},
		&ua.RepublishRequest{SubscriptionID: 4711, RetransmitSequenceNumber: 1},
		&ua.BrowseNextRequest{ContinuationPoints: [][]byte{nil, {1}, make([]byte, 8), make([]byte, 1000)}},
		&ua.CancelRequest{RequestHandle: math.MaxUint32},
		&ua.RegisterNodesRequest{NodesToRegister: []*ua.NodeID{nowhere}},
		&ua.HistoryReadRequest{HistoryReadDetails: ua.NewExtensionObject(nil)},
		&ua.AddNodesRequest{}, &ua.QueryFirstRequest{View: &ua.ViewDescription{ViewID: nowhere}, Filter: &ua.ContentFilter{}},
		&ua.ActivateSessionRequest{ClientSignature: &ua.SignatureData{}, UserIdentityToken: ua.NewExtensionObject(nil), UserTokenSignature: &ua.SignatureData{}},
	)
	for i, request := range all {
		_, err := c.Do(h.ctx, request)
		require.NoErrorf(h.t, c.Err(), "%d: %T ended the connection", i, request)
		var status ua.StatusCode
		require.Truef(h.t, err == nil || errors.As(err, &status), "%d: %T: %v", i, request, err)
	}
	ask[*ua.GetEndpointsResponse](h, c, &ua.GetEndpointsRequest{EndpointURL: h.address})
}

func written(v any) *ua.DataValue {
	return &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(v)}
}

func monitored(id *ua.NodeID, interval float64) *ua.MonitoredItemCreateRequest {
	return &ua.MonitoredItemCreateRequest{
		ItemToMonitor:  &ua.ReadValueID{NodeID: id, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}},
		MonitoringMode: ua.MonitoringModeReporting,
		RequestedParameters: &ua.MonitoringParameters{
			ClientHandle: 1, SamplingInterval: interval, Filter: ua.NewExtensionObject(nil), QueueSize: math.MaxUint32,
		},
	}
}

// strangers is how many bytes a request may have from who has not logged in.
const strangers = 128 << 10

// bodies sends a Call and a Write whose last Variant is replaced. Those that are larger than most
// end a connection of their own.
func (h *house) bodies(c *rawclient.Client, most int) {
	const plain = 6 // bytes of the Variant "x"
	called, err := c.Encode(call("Press", "Press.Ask", "x"))
	require.NoError(h.t, err)
	wrote, err := c.Encode(&ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{
		NodeID: ua.NewNumericNodeID(0, 2259), AttributeID: ua.AttributeIDValue, Value: written("x"),
	}}})
	require.NoError(h.t, err)
	for name, variant := range hostileVariants() {
		for _, body := range [][]byte{called, wrote} {
			hostile := append(bytes.Clone(body[:len(body)-plain]), variant...)
			if len(hostile) > most {
				stranger := h.client(nil)
				_, err := stranger.DoBody(h.ctx, hostile)
				require.Error(h.t, err, name)
				h.tooLarge(stranger)
				continue
			}
			_, err := c.DoBody(h.ctx, hostile)
			require.NoError(h.t, c.Err(), name)
			require.Truef(h.t, errors.Is(err, ua.StatusBadDecodingError) || errors.Is(err, ua.StatusBadEncodingLimitsExceeded), "%s: %v", name, err)
		}
	}
	for _, n := range []uint32{math.MaxInt32, 0xfffffffe, 1 << 31, 65_536} { // counts of arguments and of calls
		for _, back := range []int{plain + 4, len(called) - bytes.Index(called, text("Press")) + 3 + 4} {
			body := bytes.Clone(called)
			binary.LittleEndian.PutUint32(body[len(body)-back:], n)
			_, err := c.DoBody(h.ctx, body)
			require.ErrorIs(h.t, err, ua.StatusBadDecodingError, "%d, %d", n, back)
		}
	}
	ask[*ua.GetEndpointsResponse](h, c, &ua.GetEndpointsRequest{EndpointURL: h.address})
}

func hostileVariants() map[string][]byte {
	const variant, array, dimensions = 24, 0x80, 0x40
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	return map[string][]byte{
		"an array of -2":                    join([]byte{6 | array}, numbers(0xfffffffe)),
		"an array of 0x7fffffff":            join([]byte{12 | array}, numbers(math.MaxInt32)),
		"an array of 0x80000000":            join([]byte{6 | array}, numbers(1<<31)),
		"two million nested Variants":       bytes.Repeat([]byte{variant}, 2_000_000),
		"nested arrays of one Variant":      bytes.Repeat(join([]byte{variant | array}, numbers(1)), 400_000),
		"nested DataValues":                 join([]byte{23}, bytes.Repeat([]byte{1, 23}, 900_000)),
		"nested DiagnosticInfos":            join([]byte{25}, bytes.Repeat([]byte{0x40}, 1_900_000)),
		"dimensions with a product of 2":    join([]byte{6 | array | dimensions}, numbers(2, 7, 8, 2, 3, 1_431_655_766)),
		"dimensions with a product of 0":    join([]byte{6 | array | dimensions}, numbers(0, 2, 1<<31, 2)),
		"dimensions without end":            join([]byte{6 | array | dimensions}, numbers(1, 7, math.MaxInt32, 1, 1)),
		"a million dimensions of one":       join([]byte{6 | array | dimensions}, numbers(1, 7, 400_000), bytes.Repeat(numbers(1), 400_000)),
		"a String of 0x7fffffff":            join([]byte{12}, numbers(math.MaxInt32), []byte("x")),
		"a String of -2":                    join([]byte{12}, numbers(0xfffffffe), []byte("x")),
		"a ByteString of 0x7fffffff":        join([]byte{15}, numbers(math.MaxInt32)),
		"a String longer than the message":  join([]byte{12}, numbers(100), []byte("x")),
		"an XmlElement of 0x7fffffff":       join([]byte{16}, numbers(math.MaxInt32)),
		"an ExtensionObject of 0x7fffffff":  join([]byte{22, 1, 0, 0x41, 1, 1}, numbers(math.MaxInt32)),
		"an ExtensionObject with XML":       join([]byte{22, 1, 0, 0x41, 1, 2}, text("<x/>")),
		"a type that there is not":          {63},
		"65 535 null Variants, sixty times": join([]byte{variant | array}, numbers(60), bytes.Repeat(join([]byte{variant | array}, numbers(30_000), make([]byte, 30_000)), 60)),
	}
}

// What the specification calls each mistake (OPC 10000-4, 5.11 and 5.12); none of them reaches the bus.

// silent has f done, after which no request may have been published and Note not been given anything.
func (w *works) silent(f func()) {
	w.t.Helper()
	for name := range w.requests {
		if name == "Do" {
			continue
		}
		stop, err := w.bus.Subscribe("house/"+name+"/treq", func(m *mem.Message) { w.t.Errorf("published: %s", m.Payload) })
		require.NoError(w.t, err)
		defer stop()
	}
	f()
	// What would have been published is there before this.
	c, in := w.loginInbox()
	_, err := c.Send(call("Works", "Works.Do"))
	require.NoError(w.t, err)
	require.NoError(w.t, next(w.house, w.marked, "the marker").Answer(nil))
	next(w.house, in, "the response to the marker")
	require.Zero(w.t, w.received.Load(), "values that Note was given")
}

func TestWritesThatAreRefused(t *testing.T) {
	w := buildWorks(t)
	c := w.login(nil)
	value := func(name string, v any) *ua.WriteValue { return write(name, v).NodesToWrite[0] }
	change := func(item *ua.WriteValue, f func(*ua.WriteValue)) *ua.WriteValue { f(item); return item }
	part := func(name, indexRange string, v any) *ua.WriteValue {
		return change(value(name, v), func(item *ua.WriteValue) { item.IndexRange = indexRange })
	}
	attribute := func(name string, a ua.AttributeID, v any) *ua.WriteValue {
		return change(value(name, v), func(item *ua.WriteValue) { item.AttributeID = a })
	}
	var items []*ua.WriteValue
	var want []ua.StatusCode
	for _, r := range []struct {
		item *ua.WriteValue
		want ua.StatusCode
	}{
		{value("Speed", "fast"), ua.StatusBadTypeMismatch},
		{value("Speed", int32(1)), ua.StatusBadTypeMismatch},
		{value("Speed", float32(1)), ua.StatusBadTypeMismatch},
		{value("Speed", []float64{1}), ua.StatusBadTypeMismatch},
		{value("Speed", nil), ua.StatusBadTypeMismatch},
		{value("Speed", []float64{}), ua.StatusBadTypeMismatch},
		{change(value("Speed", 1.0), func(item *ua.WriteValue) { item.Value = &ua.DataValue{} }), ua.StatusBadTypeMismatch},
		{value("List", int32(1)), ua.StatusBadTypeMismatch},
		{value("List", []uint32{1}), ua.StatusBadTypeMismatch},
		{value("List", [][]int32{{1, 2}, {3, 4}}), ua.StatusBadTypeMismatch},
		{value("Note", "\xff"), ua.StatusBadTypeMismatch},
		{value("Note", 1.0), ua.StatusBadTypeMismatch},
		{value("No such node", 1.0), ua.StatusBadNodeIDUnknown},
		{change(value("Speed", 1.0), func(item *ua.WriteValue) { item.NodeID = ua.NewNumericNodeID(99, 1) }), ua.StatusBadNodeIDUnknown},
		{value("Fixed", 1.0), ua.StatusBadNotWritable},
		{change(value("Speed", int32(1)), func(item *ua.WriteValue) { item.NodeID = ua.NewNumericNodeID(0, 2259) }), ua.StatusBadNotWritable},
		{value("One", "x"), ua.StatusBadAttributeIDInvalid},
		{change(value("Speed", 1.0), func(item *ua.WriteValue) { item.NodeID = ua.NewStringNodeID(1, "Works") }), ua.StatusBadAttributeIDInvalid},
		{part("List", "x", []int32{9}), ua.StatusBadIndexRangeInvalid},
		{part("List", "2:1", []int32{9}), ua.StatusBadIndexRangeInvalid},
		{part("List", "1:1", []int32{9}), ua.StatusBadIndexRangeInvalid},
		{part("List", "-1", []int32{9}), ua.StatusBadIndexRangeInvalid},
		{part("List", "0:", []int32{9}), ua.StatusBadIndexRangeInvalid},
		{part("List", "99999999999999999999", []int32{9}), ua.StatusBadIndexRangeInvalid},
		{part("List", "3", []int32{9}), ua.StatusBadIndexRangeNoData},
		{part("List", "2:3", []int32{8, 9}), ua.StatusBadIndexRangeNoData},
		{part("List", "0,0", []int32{9}), ua.StatusBadIndexRangeNoData},
		{part("Speed", "0", []float64{9}), ua.StatusBadIndexRangeNoData},
		{part("List", "0:1", []int32{9}), 0x80EA0000}, // BadIndexRangeDataMismatch
		{part("List", "0", []float64{9}), ua.StatusBadTypeMismatch},
		{attribute("Speed", ua.AttributeIDDisplayName, &ua.LocalizedText{}), ua.StatusBadNotWritable},
		{attribute("Speed", ua.AttributeIDDataType, ua.NewTwoByteNodeID(12)), ua.StatusBadNotWritable},
		{attribute("Speed", ua.AttributeIDAccessLevel, byte(255)), ua.StatusBadNotWritable},
		{attribute("Speed", ua.AttributeIDExecutable, true), ua.StatusBadAttributeIDInvalid},
		{attribute("Speed", 0, true), ua.StatusBadAttributeIDInvalid},
		{attribute("Speed", math.MaxUint32, true), ua.StatusBadAttributeIDInvalid},
		{change(value("Speed", 1.0), func(item *ua.WriteValue) {
			item.Value.EncodingMask |= ua.DataValueStatusCode
			item.Value.Status = ua.StatusBadSensorFailure
		}), ua.StatusBadWriteNotSupported},
	} {
		items, want = append(items, r.item), append(want, r.want)
	}
	w.silent(func() {
		got := ask[*ua.WriteResponse](w.house, c, &ua.WriteRequest{NodesToWrite: items}).Results
		for i := range want {
			require.Equal(t, want[i], got[i], "%d: %v", i, items[i])
		}
	})
	require.Equal(t, []any{1.5, []int32{1, 2, 3}}, []any{w.value(c, "Speed"), w.value(c, "List")})
}

func TestCallsThatAreRefused(t *testing.T) {
	w := buildWorks(t)
	c := w.login(nil)
	type bad struct {
		request *ua.CallRequest
		want    ua.StatusCode
		inputs  []ua.StatusCode
	}
	mismatch := ua.StatusBadTypeMismatch
	all := []bad{
		{call("Nowhere", "Works.Start"), ua.StatusBadNodeIDUnknown, nil},
		{call("Works", "Nowhere"), ua.StatusBadMethodInvalid, nil},
		{call("Works", "Works.Speed"), ua.StatusBadMethodInvalid, nil},
		{call("Works.Speed", "Works.Start"), ua.StatusBadNodeIDInvalid, nil},
		{call("Works", "Works.Start"), ua.StatusBadArgumentsMissing, nil},
		{call("Works", "Works.Start", "4711"), ua.StatusBadArgumentsMissing, nil},
		{call("Works", "Works.Start", "4711", int32(1), true), ua.StatusBadTooManyArguments, nil},
		{call("Works", "Works.Do", "4711"), ua.StatusBadTooManyArguments, nil},
		{call("Works", "Works.Start", int32(1), "4711"), ua.StatusBadInvalidArgument, []ua.StatusCode{mismatch, mismatch}},
		{call("Works", "Works.Start", "4711", "4711"), ua.StatusBadInvalidArgument, []ua.StatusCode{ua.StatusOK, mismatch}},
		{call("Works", "Works.Start", "4711", int64(1)), ua.StatusBadInvalidArgument, []ua.StatusCode{ua.StatusOK, mismatch}},
		{call("Works", "Works.Start", "4711", []int32{1}), ua.StatusBadInvalidArgument, []ua.StatusCode{ua.StatusOK, mismatch}},
		{call("Works", "Works.Start", nil, int32(1)), ua.StatusBadInvalidArgument, []ua.StatusCode{mismatch, ua.StatusOK}},
		{call("Works", "Works.Start", "\xff", int32(1)), ua.StatusBadInvalidArgument, []ua.StatusCode{mismatch, ua.StatusOK}},
	}
	w.silent(func() {
		var together ua.CallRequest
		for _, b := range all {
			together.MethodsToCall = append(together.MethodsToCall, b.request.MethodsToCall...)
		}
		for i, got := range ask[*ua.CallResponse](w.house, c, &together).Results {
			require.Equal(t, all[i].want, got.StatusCode, i)
			require.Equal(t, all[i].inputs, got.InputArgumentResults, i)
			require.Empty(t, got.OutputArguments)
		}
	})
}

// Requests that are refused as a whole.
func TestServiceFaults(t *testing.T) {
	w := buildWorks(t)
	c := w.login(nil)
	reads := func(n int) []*ua.ReadValueID { return repeated(read("Speed", "").NodesToRead[0], n) }
	for _, f := range []struct {
		name    string
		request ua.Request
		want    ua.StatusCode
	}{
		{"a Write of nothing", &ua.WriteRequest{}, ua.StatusBadNothingToDo},
		{"a Write of too much", &ua.WriteRequest{NodesToWrite: repeated(write("Speed", 1.0).NodesToWrite[0], 1001)}, ua.StatusBadTooManyOperations},
		{"a Call of nothing", &ua.CallRequest{}, ua.StatusBadNothingToDo},
		{"a Call of too much", &ua.CallRequest{MethodsToCall: repeated(call("Works", "Works.One").MethodsToCall[0], 1001)}, ua.StatusBadTooManyOperations},
		{"a Read of nothing", &ua.ReadRequest{}, ua.StatusBadNothingToDo},
		{"a Read of too much", &ua.ReadRequest{NodesToRead: reads(10_001)}, ua.StatusBadTooManyOperations},
		{"a Read with a negative age", &ua.ReadRequest{MaxAge: -1, NodesToRead: reads(1)}, ua.StatusBadMaxAgeInvalid},
		{"a Read with an age that is no number", &ua.ReadRequest{MaxAge: math.NaN(), NodesToRead: reads(1)}, ua.StatusBadMaxAgeInvalid},
		{"a Read with other timestamps", &ua.ReadRequest{TimestampsToReturn: 4, NodesToRead: reads(1)}, ua.StatusBadTimestampsToReturnInvalid},
		{"a Browse of nothing", &ua.BrowseRequest{View: &ua.ViewDescription{ViewID: ua.NewTwoByteNodeID(0)}}, ua.StatusBadNothingToDo},
		{"a service that is not offered", &ua.HistoryReadRequest{HistoryReadDetails: ua.NewExtensionObject(nil)}, ua.StatusBadServiceUnsupported},
	} {
		f.request.SetHeader(&ua.RequestHeader{RequestHandle: 4711})
		response, err := c.Do(w.ctx, f.request)
		require.ErrorIs(t, err, f.want, f.name)
		require.EqualValues(t, 4711, response.Header().RequestHandle, f.name)
	}
	w.silent(func() {})
}

func repeated[T any](item T, n int) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = item
	}
	return all
}

// Writes and Calls of those who have no session, or not yet, or not any more, or that of another.
func TestSessionFaults(t *testing.T) {
	w := buildWorks(t)
	created := func(c *rawclient.Client) *rawclient.Session {
		s, err := c.CreateSession(w.ctx, time.Minute)
		require.NoError(t, err)
		return s
	}
	w.silent(func() {
		for _, request := range []ua.Request{write("Speed", 2.5), call("Works", "Works.One"), write("Note", "x"), read("Live", "")} {
			refused := func(c *rawclient.Client, want ua.StatusCode) {
				t.Helper()
				_, err := c.Do(w.ctx, request)
				require.ErrorIs(t, err, want, "%T", request)
			}
			c := w.client(nil)
			refused(c, ua.StatusBadSessionIDInvalid)

			s := created(c)
			thief := w.client(nil)
			thief.Use(s.Token) // before it is activated
			refused(thief, ua.StatusBadSecureChannelIDInvalid)
			require.NoError(t, c.Activate(w.ctx, s, rawclient.Identity{}))
			refused(thief, ua.StatusBadSecureChannelIDInvalid)
			ask[*ua.ReadResponse](w.house, c, readState()) // which does the owner no harm
			_, err := thief.Do(w.ctx, &ua.CloseSessionRequest{})
			require.ErrorIs(t, err, ua.StatusBadSecureChannelIDInvalid)
			ask[*ua.ReadResponse](w.house, c, readState())

			require.NoError(t, c.CloseSession(w.ctx, true))
			c.Use(s.Token)
			refused(c, ua.StatusBadSessionIDInvalid)

			s = created(c)
			c.Use(s.Token)
			refused(c, ua.StatusBadSessionNotActivated)
			refused(c, ua.StatusBadSessionIDInvalid) // that was its end (5.6.3)
		}
	})
}
