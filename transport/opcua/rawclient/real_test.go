package rawclient

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// answering is an engine that answers every transaction at once, with its value.
type answering struct{}

func (answering) Begin(call *core.Call, done core.Completer) core.ID {
	done.Complete(core.Result{Outcome: core.Answered, Value: call.Value, Sent: true})
	return core.ID{}
}

func (answering) Cancel(core.ID) bool { return false }

// realServer runs the server of the project, with a Method that gives back its argument.
func realServer(t testing.TB) string {
	argument := []opcua.Argument{{Name: "x", DataType: value.Type{Builtin: ua.TypeIDUint32}}}
	engine, err := core.New(nullBus{}, core.Options{})
	require.NoError(t, err)
	node, err := engine.AddNode(core.NodeOptions{Name: "echo", Topic: "services/test/echo"})
	require.NoError(t, err)
	require.NoError(t, engine.Close())
	state := t.TempDir()
	trusted := filepath.Join(state, "pki", "trusted", "certs")
	require.NoError(t, os.MkdirAll(trusted, 0o700))
	certificate, _ := clientKeys()
	require.NoError(t, os.WriteFile(filepath.Join(trusted, "client.der"), certificate, 0o600))

	security := []opcua.Security{{Policy: "None", Mode: "None"}, {Policy: "Basic256Sha256", Mode: "Sign"}}
	for _, p := range []string{"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"} {
		security = append(security, opcua.Security{Policy: p, Mode: "SignAndEncrypt"})
	}
	server, err := opcua.New(opcua.Options{
		Engine: answering{}, Security: security, Anonymous: true, State: state, Hosts: []string{"127.0.0.1"},
		Login:  func(user, password string) bool { return user == "ann" && password == "secret" },
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Root: &opcua.Node{Class: opcua.Object, BrowseName: "Root", ID: "ns=1;i=1", Children: []*opcua.Node{{
			Class: opcua.Method, BrowseName: "Echo", ID: "ns=1;i=2", Inputs: argument, Outputs: argument,
			Transaction: &opcua.Transaction{Node: node},
		}}},
	})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.NoError(t, <-served)
	})
	return "opc.tcp://" + listener.Addr().String() + "/UA"
}

type nullBus struct{}

func (nullBus) Publish(*core.Request) error { return nil }

func TestWithTheServer(t *testing.T) {
	endpoint := realServer(t)
	for _, sec := range securities[:5] {
		t.Run(sec.name, func(t *testing.T) {
			delivered := make(chan uint32, 100)
			o := secured(sec.policy, sec.mode, clientKeys)
			o.Endpoint, o.ApplicationURI = endpoint, "urn:rawclient"
			o.Deliver = func(r Response) { delivered <- argumentOf(t, r) }
			c, err := Dial(t.Context(), o)
			require.NoError(t, err)
			defer c.Close()

			_, err = c.Login(t.Context(), Identity{User: "ann", Password: "guess"}, 0)
			require.Error(t, err)
			s, err := c.Login(t.Context(), Identity{User: "ann", Password: "secret"}, 0)
			require.NoError(t, err)
			response, err := c.Do(t.Context(), readRequest(300))
			require.NoError(t, err)
			require.Len(t, response.(*ua.ReadResponse).Results, 300)

			template, err := c.NewTemplate(callRequest(0xfeedbeef))
			require.NoError(t, err)
			at := template.Index([]byte{0xef, 0xbe, 0xed, 0xfe})
			sum := uint32(0)
			for i := range uint32(50) {
				if i%10 == 0 {
					require.NoError(t, c.Renew(t.Context()))
				}
				_, err := c.SendTemplate(template, func(body []byte, _ uint32) { binary.LittleEndian.PutUint32(body[at:], i) })
				require.NoError(t, err)
				sum += i
			}
			for range 50 {
				sum -= <-delivered
			}
			require.Zero(t, sum)
			takeOver(t, o, s)
		})
	}
}

// takeOver activates the session on another channel, which the server allows on secured ones.
func takeOver(t *testing.T, o Options, s *Session) {
	o.ServerCertificate = s.Created.ServerCertificate
	other, err := Dial(t.Context(), o)
	require.NoError(t, err)
	defer other.Close()
	other.Use(s.Token)
	_, err = other.Do(t.Context(), readRequest(1))
	require.Error(t, err, "the session is bound to its channel")
	other.Use(nil)
	if o.Mode == ua.MessageSecurityModeNone {
		return
	}
	require.NoError(t, other.Activate(t.Context(), s, Identity{User: "ann", Password: "secret"}))
	_, err = other.Do(t.Context(), readRequest(1))
	require.NoError(t, err)
	require.NoError(t, other.CloseSession(t.Context(), true))
}

func TestServerEndsTheConnection(t *testing.T) {
	endpoint := realServer(t)
	c, err := Dial(t.Context(), Options{Endpoint: endpoint})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SendChunk("XXX", 'F', 1, nil))
	<-c.Done()
	require.ErrorIs(t, c.Err(), ua.StatusBadTCPMessageTypeInvalid)
}

// BenchmarkCall keeps 64 Calls in flight on one session; the server runs in the same process.
func BenchmarkCall(b *testing.B) {
	for _, sec := range securities[:3] {
		b.Run(sec.name, func(b *testing.B) {
			o := secured(sec.policy, sec.mode, clientKeys)
			o.Endpoint, o.ApplicationURI = realServer(b), "urn:rawclient"
			benchmarkCall(b, o)
		})
	}
}

func benchmarkCall(b *testing.B, o Options) {
	const inFlight = 64
	var c *Client
	var template *Template
	var sent, got atomic.Int64
	done := make(chan struct{})
	next := func() {
		if sent.Add(1) <= int64(b.N) {
			_, _ = c.SendTemplate(template, nil)
		}
	}
	o.Deliver = func(r Response) {
		if number, handle, status, ok := r.Result(); !ok || number != id.CallResponse_Encoding_DefaultBinary || handle != r.ID || status != ua.StatusOK {
			b.Errorf("response %d to request %d: %v %v", number, r.ID, status, r.Err)
		}
		next()
		if got.Add(1) == int64(b.N) {
			close(done)
		}
	}
	c, err := Dial(context.Background(), o)
	require.NoError(b, err)
	defer c.Close()
	_, err = c.Login(b.Context(), Identity{}, 0)
	require.NoError(b, err)
	template, err = c.NewTemplate(callRequest(1))
	require.NoError(b, err)
	b.ReportAllocs()
	b.ResetTimer()
	for range inFlight {
		next()
	}
	select {
	case <-done:
	case <-c.Done():
		b.Fatal(c.Err())
	case <-time.After(time.Minute):
		b.Fatal("no response for a minute")
	}
}
