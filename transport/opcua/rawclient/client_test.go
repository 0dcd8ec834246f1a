package rawclient

import (
	"bytes"
	"context"
	"crypto/rsa"
	"encoding/binary"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// echo answers a Read with as many values as it asks for, each its index.
func echo(s *serving, id uint32, request ua.Request) {
	switch r := request.(type) {
	case *ua.ReadRequest:
		results := make([]*ua.DataValue, len(r.NodesToRead))
		for i := range results {
			results[i] = &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(uint32(i))}
		}
		s.respond(id, &ua.ReadResponse{ResponseHeader: header(r, ua.StatusOK), Results: results})
	case *ua.CallRequest:
		s.respond(id, &ua.CallResponse{ResponseHeader: header(r, ua.StatusOK), Results: []*ua.CallMethodResult{{
			OutputArguments: r.MethodsToCall[0].InputArguments,
		}}})
	default:
		s.respond(id, &ua.ServiceFault{ResponseHeader: header(r, ua.StatusBadServiceUnsupported)})
	}
}

func readRequest(n int) *ua.ReadRequest {
	r := &ua.ReadRequest{}
	for range n {
		r.NodesToRead = append(r.NodesToRead, &ua.ReadValueID{
			NodeID: ua.NewNumericNodeID(0, 2258), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{},
		})
	}
	return r
}

func callRequest(argument uint32) *ua.CallRequest {
	return &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{
		ObjectID: ua.NewNumericNodeID(1, 1), MethodID: ua.NewNumericNodeID(1, 2), InputArguments: []*ua.Variant{ua.MustVariant(argument)},
	}}}
}

func argumentOf(t testing.TB, r Response) uint32 {
	response, err := r.Decode()
	require.NoError(t, err)
	require.Equal(t, r.ID, response.Header().RequestHandle)
	return response.(*ua.CallResponse).Results[0].OutputArguments[0].Value().(uint32)
}

var securities = []struct {
	name   string
	policy string
	mode   ua.MessageSecurityMode
	server func() ([]byte, *rsa.PrivateKey)
}{
	{"None", ua.SecurityPolicyURINone, ua.MessageSecurityModeNone, serverKeys},
	{"Sign", ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSign, serverKeys},
	{"SignAndEncrypt", ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt, serverKeys},
	{"Aes128", ua.SecurityPolicyURIAes128Sha256RsaOaep, ua.MessageSecurityModeSignAndEncrypt, serverKeys},
	{"Aes256", ua.SecurityPolicyURIAes256Sha256RsaPss, ua.MessageSecurityModeSignAndEncrypt, serverKeys},
	{"long key", ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt, longKeys},
}

func secured(policy string, mode ua.MessageSecurityMode, keys func() ([]byte, *rsa.PrivateKey)) Options {
	o := Options{Endpoint: "opc.tcp://server:1", Policy: policy, Mode: mode}
	o.Certificate, o.Key = keys()
	return o
}

func TestEverySecurity(t *testing.T) {
	for _, sec := range securities {
		t.Run(sec.name, func(t *testing.T) {
			f := newFake(t, secured(sec.policy, sec.mode, sec.server), echo)
			f.chunk = 8192
			c := dial(t, f, Options{Lifetime: time.Minute})
			require.Equal(t, 30*time.Second, c.Lifetime())

			for _, who := range []Identity{{}, {User: "ann", Password: "secret"}} {
				s, err := c.Login(t.Context(), who, time.Minute)
				require.NoError(t, err)
				require.Equal(t, 30*time.Second, s.Timeout)
			}
			_, err := c.Login(t.Context(), Identity{User: "ann", Password: "guess"}, 0)
			require.ErrorIs(t, err, ua.StatusBadUserAccessDenied)

			for n := 1; n < 3000; n = n*3/2 + 1 { // one chunk and several, both ways
				request := readRequest(n)
				response, err := c.Do(t.Context(), request)
				require.NoError(t, err)
				require.Len(t, response.(*ua.ReadResponse).Results, n)
				require.Nil(t, request.RequestHeader, "the request is as it was")
			}
			_, err = c.Do(t.Context(), &ua.CancelRequest{})
			require.ErrorIs(t, err, ua.StatusBadServiceUnsupported)
			require.NoError(t, c.CloseSession(t.Context(), true))
		})
	}
}

// Thousands of Calls are in flight; the server answers them in the wrong order; each gets its own.
func TestInFlight(t *testing.T) {
	const calls = 5000
	type held struct {
		id uint32
		r  ua.Request
	}
	var all []held
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, func(s *serving, id uint32, r ua.Request) {
		if all = append(all, held{id, r}); len(all) == calls {
			for i := range all {
				h := all[calls-1-i]
				echo(s, h.id, h.r)
			}
		}
	})
	var mu sync.Mutex
	want, got := map[uint32]uint32{}, map[uint32]uint32{}
	done := make(chan struct{})
	c := dial(t, f, Options{Deliver: func(r Response) {
		argument := argumentOf(t, r)
		mu.Lock()
		defer mu.Unlock()
		if got[r.ID] = argument; len(got) == calls {
			close(done)
		}
	}})
	template, err := c.NewTemplate(callRequest(0xfeedbeef))
	require.NoError(t, err)
	at := template.Index(binary.LittleEndian.AppendUint32(nil, 0xfeedbeef))
	require.Positive(t, at)
	require.Less(t, at, template.Len())
	for i := range uint32(calls) {
		var id uint32
		if i%2 == 0 {
			id, err = c.Send(callRequest(i * i))
		} else {
			id, err = c.SendTemplate(template, func(body []byte, _ uint32) { binary.LittleEndian.PutUint32(body[at:], i*i) })
		}
		require.NoError(t, err)
		want[id] = i * i
	}
	<-done
	require.Equal(t, want, got)
}

// What is sent from inside Deliver goes out though nobody else sends.
func TestSendFromDeliver(t *testing.T) {
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, echo)
	const rounds = 1000
	done := make(chan struct{})
	var c *Client
	ready := make(chan struct{})
	left := rounds
	c = dial(t, f, Options{Deliver: func(r Response) {
		<-ready
		if left--; left == 0 {
			close(done)
			return
		}
		_, err := c.Send(callRequest(argumentOf(t, r) + 1))
		require.NoError(t, err)
	}})
	close(ready)
	_, err := c.Send(callRequest(0))
	require.NoError(t, err)
	<-done
}

func TestTemplateIndex(t *testing.T) {
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, echo)
	c := dial(t, f, Options{})
	r := callRequest(1)
	r.RequestHeader = &ua.RequestHeader{AuthenticationToken: ua.NewStringNodeID(1, "somebody else's")}
	template, err := c.NewTemplate(r)
	require.NoError(t, err)
	require.Equal(t, -1, template.Index([]byte("not there")))
	require.Equal(t, -1, template.Index([]byte{0}), "there more than once")
	require.Positive(t, template.Index([]byte("somebody")))
	body, err := c.Encode(&ua.CallRequest{RequestHeader: &ua.RequestHeader{
		AuthenticationToken: ua.NewStringNodeID(1, "somebody else's"), RequestHandle: 0xfeedbeef,
	}})
	require.NoError(t, err)
	require.Equal(t, bytes.Index(body, []byte{0xef, 0xbe, 0xed, 0xfe}), template.handle)
	_, err = c.Encode(&unknownRequest{})
	require.ErrorContains(t, err, "no service")
	_, err = c.NewTemplate(&unknownRequest{})
	require.ErrorContains(t, err, "no service")
	_, err = c.Send(&unknownRequest{})
	require.ErrorContains(t, err, "no service")
	_, err = c.Do(t.Context(), &unknownRequest{})
	require.ErrorContains(t, err, "no service")
}

func TestResult(t *testing.T) {
	r := Response{Body: encodeResponse(t, &ua.ServiceFault{ResponseHeader: header(&ua.ReadRequest{
		RequestHeader: &ua.RequestHeader{RequestHandle: 0xfeedbeef},
	}, ua.StatusBadTimeout)})}
	number, handle, status, ok := r.Result()
	require.True(t, ok)
	require.Equal(t, ua.ServiceTypeID(&ua.ServiceFault{}), number)
	require.Equal(t, uint32(0xfeedbeef), handle)
	require.Equal(t, ua.StatusBadTimeout, status)
	for _, body := range [][]byte{nil, r.Body[:19], append([]byte{2}, r.Body[1:]...)} {
		_, _, _, ok := Response{Body: body}.Result()
		require.False(t, ok)
	}
}

type unknownRequest struct{ ua.ReadRequest }

// Until the client has used the new token the server goes on with the old one; both are read.
func TestRenew(t *testing.T) {
	for _, sec := range securities[:3] {
		t.Run(sec.name, func(t *testing.T) {
			delivered := make(chan Response, 1)
			type held struct {
				s  *serving
				id uint32
				r  ua.Request
			}
			calls := make(chan held, 1)
			f := newFake(t, secured(sec.policy, sec.mode, sec.server), func(s *serving, id uint32, r ua.Request) {
				if _, ok := r.(*ua.CallRequest); ok {
					calls <- held{s, id, r}
					return
				}
				echo(s, id, r)
			})
			c := dial(t, f, Options{Deliver: func(r Response) { delivered <- Response{ID: r.ID} }})
			_, first := c.Token()
			for range 3 {
				id, err := c.Send(callRequest(1))
				require.NoError(t, err)
				call := <-calls
				require.NoError(t, c.Renew(t.Context()))
				old, now := call.s.current().id, uint32(0)
				_, now = c.Token()
				require.Equal(t, now, old+1)
				echo(call.s, call.id, call.r)
				require.Equal(t, id, (<-delivered).ID)
				_, err = c.Do(t.Context(), readRequest(1))
				require.NoError(t, err)
				require.Equal(t, now, call.s.current().id)
			}
			channel, last := c.Token()
			require.Equal(t, uint32(7), channel)
			require.Equal(t, first+3, last)
		})
	}
}

// Calls and renewals at the same time.
func TestRenewUnderLoad(t *testing.T) {
	f := newFake(t, secured(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSign, serverKeys), echo)
	c := dial(t, f, Options{})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, err := c.Do(t.Context(), readRequest(3))
				require.NoError(t, err)
			}
		})
	}
	for range 10 {
		require.NoError(t, c.Renew(t.Context()))
	}
	close(stop)
	wg.Wait()
}

func TestWaitEnds(t *testing.T) {
	reached := make(chan struct{}, 1)
	release := make(chan struct{})
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, func(s *serving, id uint32, r ua.Request) {
		reached <- struct{}{}
		<-release
		echo(s, id, r)
	})
	delivered := make(chan Response, 1)
	c := dial(t, f, Options{Deliver: func(r Response) { delivered <- Response{ID: r.ID} }})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	_, err := c.Do(ctx, readRequest(1))
	require.ErrorIs(t, err, context.Canceled)
	close(release)
	<-delivered // late, to who takes the rest
}

func TestAbortedResponse(t *testing.T) {
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, func(s *serving, id uint32, r ua.Request) {
		s.chunk('C', id, []byte("the beginning of something"))
		s.chunk('A', id, append(binary.LittleEndian.AppendUint32(nil, uint32(ua.StatusBadResponseTooLarge)), 4, 0, 0, 0, 'l', 'o', 'n', 'g'))
		echo(s, id+1, r)
	})
	delivered := make(chan struct{}, 1)
	c := dial(t, f, Options{Deliver: func(Response) { delivered <- struct{}{} }})
	_, err := c.Do(t.Context(), readRequest(1))
	require.ErrorIs(t, err, ua.StatusBadResponseTooLarge)
	<-delivered
	require.NoError(t, c.Err())
}

// Each of these ends the client, with an error that says what was wrong, and who waits hears it.
func TestFaultsOfTheServer(t *testing.T) {
	frame := func(kind string, chunk byte, body ...byte) []byte {
		b := append(appendHead(nil, kind, chunk), body...)
		putSize(b, len(b))
		return b
	}
	for _, c := range []struct {
		name, says string
		do         func(s *serving, id uint32)
	}{
		{"gone", "EOF", func(s *serving, _ uint32) { _ = s.conn.Close() }},
		{"cut", "unexpected EOF", func(s *serving, _ uint32) { s.write([]byte("MSGF")); _ = s.conn.Close() }},
		{"short", `a chunk "MSGF" of 8 bytes`, func(s *serving, _ uint32) { s.write(frame("MSG", 'F')) }},
		{"long", `a chunk "MSGF" of 70000 bytes`, func(s *serving, _ uint32) { s.write(append([]byte("MSGF"), 0x70, 0x11, 1, 0)) }},
		{"type", `a message of type "XYZ"`, func(s *serving, _ uint32) { s.write(frame("XYZ", 'F', 1, 2, 3, 4)) }},
		{"no header", "too short", func(s *serving, _ uint32) { s.write(frame("MSG", 'F', 1, 2, 3, 4)) }},
		{"token", "channel 1 and token 2", func(s *serving, _ uint32) { s.write(frame("MSG", 'F', 1, 0, 0, 0, 2, 0, 0, 0)) }},
		{"no sequence", "too short", func(s *serving, _ uint32) { s.write(frame("MSG", 'F', 7, 0, 0, 0, 1, 0, 0, 0, 9)) }},
		{"sequence", "sequence number 9 after", func(s *serving, id uint32) { s.sequence = 8; s.chunk('F', id, nil) }},
		{"chunk type", "a chunk of type 'Z'", func(s *serving, id uint32) { s.chunk('Z', id, nil) }},
		{"mixed", "inside of response", func(s *serving, id uint32) { s.chunk('C', id, nil); s.chunk('F', id+1, nil) }},
		{"abort", "an abort", func(s *serving, id uint32) { s.chunk('A', id, nil) }},
		{"body", "decoding a response", func(s *serving, id uint32) { s.chunk('F', id, []byte{1, 0, 1}) }},
		{"request", "no response", func(s *serving, id uint32) {
			n := ua.ServiceTypeID(&ua.CloseSessionRequest{})
			s.chunk('F', id, append([]byte{1, 0, byte(n), byte(n >> 8)}, make([]byte, 64)...))
		}},
		{"OPN", "nobody asked for", func(s *serving, id uint32) {
			b := append(frame("OPN", 'F', 7, 0, 0, 0), 47, 0, 0, 0)
			b = append(b, ua.SecurityPolicyURINone...)
			b = append(b, 255, 255, 255, 255, 255, 255, 255, 255)
			b = append(s.numbers(b, id), encodeResponse(s.f.t, &ua.CloseSessionResponse{ResponseHeader: header(nil, ua.StatusOK)})...)
			putSize(b, len(b))
			s.write(b)
		}},
		{"policy", "with policy", func(s *serving, _ uint32) {
			s.write(frame("OPN", 'F', 7, 0, 0, 0, 1, 0, 0, 0, 'x', 255, 255, 255, 255, 255, 255, 255, 255))
		}},
		{"ERR", "BadTcpMessageTypeInvalid", func(s *serving, _ uint32) { s.write(frame("ERR", 'F', 0, 0, 0x7e, 0x80, 255, 255, 255, 255)) }},
		{"ERR cut", "ERR: ", func(s *serving, _ uint32) { s.write(frame("ERR", 'F', 0, 0, 0x7e, 0x80)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, func(s *serving, id uint32, _ ua.Request) { c.do(s, id) })
			client := dial(t, f, Options{})
			_, err := client.Do(t.Context(), readRequest(1))
			if c.name == "ERR" {
				require.ErrorIs(t, err, ua.StatusBadTCPMessageTypeInvalid)
				return
			}
			require.ErrorContains(t, err, c.says)
			if c.name == "body" || c.name == "request" { // of that response only
				require.NoError(t, client.Err())
				return
			}
			<-client.Done()
			require.Equal(t, err, client.Err())
			_, err = client.Do(t.Context(), readRequest(1))
			require.Equal(t, client.Err(), err)
			_, err = client.Send(readRequest(1))
			require.Equal(t, client.Err(), err)
			require.Equal(t, client.Err(), client.WriteRaw([]byte("x")))
			require.Equal(t, client.Err(), client.SendChunk("MSG", 'F', 1, nil))
			require.Error(t, client.Renew(t.Context()))
		})
	}
}

func TestWrongProtection(t *testing.T) {
	for _, sec := range securities[1:3] {
		t.Run(sec.name, func(t *testing.T) {
			f := newFake(t, secured(sec.policy, sec.mode, sec.server), func(s *serving, id uint32, _ ua.Request) {
				k := s.current()
				b := binary.LittleEndian.AppendUint32(appendHead(nil, "MSG", 'F'), k.channel)
				b = binary.LittleEndian.AppendUint32(b, k.id)
				b, err := k.seal(append(s.numbers(b, id), make([]byte, 100)...), 0, symmetricSize)
				require.NoError(t, err)
				b[50] ^= 1
				s.write(b)
			})
			c := dial(t, f, Options{})
			_, err := c.Do(t.Context(), readRequest(1))
			require.ErrorContains(t, err, "wrong signature")
		})
	}
	t.Run("short", func(t *testing.T) {
		f := newFake(t, secured(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt, serverKeys), func(s *serving, _ uint32, _ ua.Request) {
			k := s.current()
			b := binary.LittleEndian.AppendUint32(appendHead(nil, "MSG", 'F'), k.channel)
			b = binary.LittleEndian.AppendUint32(b, k.id)
			b = append(b, make([]byte, 16)...)
			putSize(b, len(b))
			s.write(b)
		})
		_, err := dial(t, f, Options{}).Do(t.Context(), readRequest(1))
		require.ErrorIs(t, err, errChunk)
	})
}

func TestOptions(t *testing.T) {
	cert, key := clientKeys()
	for _, c := range []struct {
		o    Options
		says string
	}{
		{Options{}, "is not opc.tcp"},
		{Options{Endpoint: "http://127.0.0.1:1"}, "is not opc.tcp"},
		{Options{Endpoint: "opc.tcp://127.0.0.1:1"}, "connecting"},
		{Options{Endpoint: "opc.tcp://127.0.0.1:1", Policy: ua.SecurityPolicyURIBasic256Sha256}, "does not go with"},
		{Options{Endpoint: "opc.tcp://127.0.0.1:1", Mode: ua.MessageSecurityModeSign}, "does not go with"},
		{Options{Endpoint: "opc.tcp://127.0.0.1:1", Policy: ua.SecurityPolicyURIBasic256Sha256, Mode: ua.MessageSecurityModeSign}, "needs a certificate"},
		{Options{
			Endpoint: "opc.tcp://127.0.0.1:1", Policy: ua.SecurityPolicyURIBasic256Sha256, Mode: ua.MessageSecurityModeSign,
			Certificate: cert, Key: key, ServerCertificate: []byte("none"),
		}, "certificate"},
		{Options{
			Endpoint: "opc.tcp://127.0.0.1:1", Policy: "none such", Mode: ua.MessageSecurityModeSign,
			Certificate: cert, Key: key, ServerCertificate: cert,
		}, "unsupported security policy"},
	} {
		_, err := Dial(t.Context(), c.o)
		require.ErrorContains(t, err, c.says)
		_, err = Connect(t.Context(), c.o)
		require.ErrorContains(t, err, c.says)
	}
}

func TestNoSuchEndpoint(t *testing.T) {
	f := newFake(t, secured(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSign, serverKeys), echo)
	o := secured(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt, clientKeys)
	o.Endpoint = f.url()
	_, err := Dial(t.Context(), o)
	require.ErrorContains(t, err, "no endpoint with policy")
}

// A server that says nothing, or something else than ACK.
func TestHandshake(t *testing.T) {
	for _, c := range []struct {
		name, says string
		answer     []byte
	}{
		{"silence", "after HEL", nil},
		{"ERR", "StatusBadTCPServerTooBusy", append(append([]byte("ERRF"), 16, 0, 0, 0), 0, 0, 0x7d, 0x80, 255, 255, 255, 255)},
		{"cut ACK", "ACK:", append(append([]byte("ACKF"), 12, 0, 0, 0), 0, 0, 0, 0)},
		{"small ACK", "ACK with buffers of 1 and 1 bytes", append(append([]byte("ACKF"), 28, 0, 0, 0), 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer theirs.Close()
			go func() {
				b := make([]byte, 1000)
				_, _ = theirs.Read(b)
				_, _ = theirs.Write(c.answer)
			}()
			timeout := 10 * time.Second
			if c.answer == nil {
				timeout = 50 * time.Millisecond
			}
			_, err := Dial(t.Context(), Options{
				Endpoint: "opc.tcp://pipe/", Timeout: timeout,
				Connect: func(context.Context) (net.Conn, error) { return ours, nil },
			})
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestRaw(t *testing.T) {
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, echo)
	c := dial(t, f, Options{})
	body, err := c.Encode(readRequest(1))
	require.NoError(t, err)
	response, err := c.DoBody(t.Context(), body)
	require.NoError(t, err)
	require.Zero(t, response.Header().RequestHandle)
	c.SkipSequence(5) // the fake does not mind
	delivered, err := c.SendBody([]byte{1, 0, 1, 1})
	require.NoError(t, err)
	require.Positive(t, delivered)
	require.NoError(t, c.SendChunk("MSG", 'C', 900, []byte("a part")))
	require.NoError(t, c.SendChunk("MSG", 'A', 900, nil)) // given up
	require.ErrorContains(t, c.SendChunk("message", 'F', 1, nil), "message type")
	_, err = c.Do(t.Context(), readRequest(1))
	require.NoError(t, err)
	require.Equal(t, f.listener.Addr(), c.Conn().RemoteAddr())
	require.NoError(t, c.WriteRaw([]byte("CLOF\x0c\x00\x00\x00\x00\x00\x00\x00")))
	<-c.Done()
	c.Reset()
}

func TestConnectWithoutChannel(t *testing.T) {
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, echo)
	c, err := Connect(t.Context(), Options{Endpoint: f.url()})
	require.NoError(t, err)
	_, err = c.Send(readRequest(1))
	require.ErrorContains(t, err, "no secure channel")
	require.ErrorContains(t, c.SendChunk("MSG", 'F', 1, nil), "no secure channel")
	require.Zero(t, c.Lifetime())
	channel, token := c.Token()
	require.Zero(t, channel)
	require.Zero(t, token)
	c.Reset()
	require.ErrorIs(t, c.Err(), ErrClosed)
	_, err = c.Do(t.Context(), readRequest(1))
	require.ErrorIs(t, err, ErrClosed)
}

func TestCloseWithCallsInFlight(t *testing.T) {
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, func(*serving, uint32, ua.Request) {})
	c := dial(t, f, Options{})
	errs := make(chan error)
	for range 3 {
		go func() {
			_, err := c.Do(t.Context(), readRequest(1))
			errs <- err
		}()
	}
	c.Close()
	for range 3 {
		require.ErrorIs(t, <-errs, ErrClosed)
	}
}

// A server that does not read makes senders wait, and then ends the client.
func TestServerThatDoesNotRead(t *testing.T) {
	block := make(chan struct{})
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, func(*serving, uint32, ua.Request) { <-block })
	c := dial(t, f, Options{WriteTimeout: 200 * time.Millisecond})
	require.NoError(t, c.Conn().(*net.TCPConn).SetWriteBuffer(4096))
	body, err := c.Encode(readRequest(300))
	require.NoError(t, err)
	const bound = 1 << 20 // sends
	for range bound {
		if _, err = c.SendBody(body); err != nil {
			break
		}
	}
	require.ErrorContains(t, err, "writing")
	<-c.Done()
	close(block)
}

// Or it makes them fail, and the client lives on.
func TestNoWait(t *testing.T) {
	block := make(chan struct{})
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, func(*serving, uint32, ua.Request) { <-block })
	c := dial(t, f, Options{NoWait: true})
	require.NoError(t, c.Conn().(*net.TCPConn).SetWriteBuffer(4096))
	body, err := c.Encode(readRequest(300))
	require.NoError(t, err)
	const bound = 1 << 20 // sends
	for range bound {
		if _, err = c.SendBody(body); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, ErrFull)
	require.NoError(t, c.Err())
	c.Abort()
	close(block)
}

func TestUse(t *testing.T) {
	tokens := make(chan *ua.NodeID, 2)
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, func(s *serving, id uint32, r ua.Request) {
		tokens <- r.Header().AuthenticationToken
		echo(s, id, r)
	})
	c := dial(t, f, Options{})
	for _, token := range []*ua.NodeID{ua.NewStringNodeID(1, "x"), nil} {
		c.Use(token)
		_, err := c.Do(t.Context(), readRequest(1))
		require.NoError(t, err)
	}
	require.Equal(t, "ns=1;s=x", (<-tokens).String())
	require.Equal(t, "i=0", (<-tokens).String())
}

func TestNoUserPolicy(t *testing.T) {
	f := newFake(t, Options{Endpoint: "opc.tcp://server:1"}, echo)
	f.endpoints[0].UserIdentityTokens = nil
	c := dial(t, f, Options{})
	for _, who := range []Identity{{}, {User: "ann"}} {
		_, err := c.Login(t.Context(), who, 0)
		require.ErrorContains(t, err, "takes no")
	}
}
