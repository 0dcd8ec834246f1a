package channel

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// identity is a certificate with its key.
type identity struct {
	key *rsa.PrivateKey
	der []byte
}

func newIdentity(name string, bits int) func() identity {
	return sync.OnceValue(func() identity {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1),
			Subject:      pkix.Name{CommonName: name},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(time.Hour),
			URIs:         []*url.URL{{Scheme: "urn", Opaque: name}},
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			panic(err)
		}
		return identity{key, der}
	})
}

var (
	serverIdentity = newIdentity("server", 2048)
	clientIdentity = newIdentity("client", 2048)
	longIdentity   = newIdentity("long", 3072)
	shortIdentity  = newIdentity("short", 1024)
)

// echo answers each message with its own body, and remembers what it saw.
type echo struct {
	handle func(c *Channel, request uint32, body []byte) error // instead, if not nil
	closed chan *Channel
}

func newEcho() *echo { return &echo{closed: make(chan *Channel, 1024)} }

func (e *echo) Handle(c *Channel, request uint32, body []byte) error {
	if e.handle != nil {
		return e.handle(c, request, body)
	}
	c.Send(request, body)
	return nil
}

func (e *echo) Closed(c *Channel) { e.closed <- c }

// testOptions let everybody in.
func testOptions(h Handler) Options {
	return Options{
		Certificate: serverIdentity().der,
		Key:         serverIdentity().key,
		Allowed:     func(string, ua.MessageSecurityMode) bool { return true },
		MaxUnproven: 2 << 20,
		Trust:       func([]byte) (ua.StatusCode, error) { return ua.StatusOK, nil },
		Handler:     h,
		Guard:       func([]byte) error { return nil },
		Logger:      slog.New(slog.DiscardHandler),
	}
}

// listen serves on a loopback port until the test ends.
func listen(t testing.TB, o Options) string {
	t.Helper()
	s, err := NewServer(o)
	require.NoError(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var running sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			running.Go(func() { s.Serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return ln.Addr().String()
}

// dial opens a channel with gopcua's client.
func dial(t testing.TB, addr string, opts ...opcua.Option) *opcua.Client {
	t.Helper()
	c, err := opcua.NewClient("opc.tcp://"+addr, append([]opcua.Option{opcua.AutoReconnect(false)}, opts...)...)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	require.NoError(t, c.Dial(ctx))
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// secure are the options of gopcua's client for a policy and mode.
func secure(policy string, mode ua.MessageSecurityMode, as identity) []opcua.Option {
	if policy == ua.SecurityPolicyURINone {
		return []opcua.Option{opcua.SecurityPolicy(policy), opcua.SecurityMode(mode)}
	}
	return []opcua.Option{
		opcua.Certificate(as.der), opcua.PrivateKey(as.key),
		opcua.SecurityFromEndpoint(&ua.EndpointDescription{
			SecurityPolicyURI: policy, SecurityMode: mode, ServerCertificate: serverIdentity().der,
		}, ua.UserTokenTypeAnonymous),
	}
}

// finder answers FindServers with as many servers as the request's locales say.
func finder(c *Channel, request uint32, body []byte) error {
	_, m, err := ua.DecodeService(body)
	if err != nil {
		return err
	}
	r := m.(*ua.FindServersRequest)
	response := &ua.FindServersResponse{ResponseHeader: &ua.ResponseHeader{
		Timestamp:          time.Now(),
		RequestHandle:      r.RequestHeader.RequestHandle,
		ServiceDiagnostics: &ua.DiagnosticInfo{},
		AdditionalHeader:   ua.NewExtensionObject(nil),
	}}
	for _, l := range r.LocaleIDs {
		response.Servers = append(response.Servers, &ua.ApplicationDescription{ApplicationURI: l, ApplicationName: &ua.LocalizedText{}})
	}
	b, err := encode(id.FindServersResponse_Encoding_DefaultBinary, response)
	if err != nil {
		return err
	}
	c.Send(request, b)
	return nil
}

// tcpPair are the two ends of a loopback connection.
func tcpPair(t testing.TB) (ours, theirs net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	theirs, err = net.Dial("tcp", ln.Addr().String())
	require.NoError(t, err)
	ours, err = ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = ours.Close(); _ = theirs.Close() })
	return ours, theirs
}
