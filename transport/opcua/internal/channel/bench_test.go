package channel

import (
	"bufio"
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/stretchr/testify/require"
)

// sink is a connection that takes everything and sends nothing.
type sink struct{ net.Conn }

func (sink) Write(b []byte) (int, error)      { return len(b), nil }
func (sink) SetWriteDeadline(time.Time) error { return nil }
func (sink) SetReadDeadline(time.Time) error  { return nil }
func (sink) Close() error                     { return nil }
func (sink) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

var benchmarked = []struct {
	policy string
	mode   ua.MessageSecurityMode
}{
	{ua.SecurityPolicyURINone, ua.MessageSecurityModeNone},
	{ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSign},
	{ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSignAndEncrypt},
}

// openOn makes a channel that is open on conn, without a handshake. The nonces are all zeros.
func openOn(t testing.TB, conn net.Conn, h Handler, policy string, mode ua.MessageSecurityMode) *Channel {
	s, err := NewServer(testOptions(h))
	require.NoError(t, err)
	c := &Channel{server: s, conn: conn, in: bufio.NewReaderSize(conn, readBuffer), wrote: make(chan struct{}), id: s.nextID()}
	c.out.init(conn, s.MaxQueue, s.WriteTimeout)
	c.agreed = &agreement{receive: 65535, send: 65535}
	c.envelope, c.mode = &envelope{policy: policy}, mode
	var in, out *keys
	if suite, ok := suiteOf(policy); ok {
		nonce := make([]byte, 32)
		in, err = suite.deriveKeys(nonce, nonce, mode == ua.MessageSecurityModeSignAndEncrypt)
		require.NoError(t, err)
		out, err = suite.deriveKeys(nonce, nonce, mode == ua.MessageSecurityModeSignAndEncrypt)
		require.NoError(t, err)
	}
	c.out.newest = c.tokens.issue(time.Hour, in, out)
	c.out.using = c.out.newest
	return c
}

const benchBody = 200 // bytes: a CallResponse with a short text

// BenchmarkSend is Send and what the writer does, without the system call.
func BenchmarkSend(b *testing.B) {
	for _, s := range benchmarked {
		b.Run(securityName(s.policy, s.mode), func(b *testing.B) {
			c := openOn(b, sink{}, newEcho(), s.policy, s.mode)
			go c.write()
			body := make([]byte, benchBody)
			b.ReportAllocs()
			for b.Loop() {
				c.Send(1, body)
				c.out.await()
			}
			c.Close(ua.StatusOK, true)
			<-c.wrote
		})
	}
}

// replay is a connection that sends the same bytes again and again.
type replay struct {
	sink
	all  []byte
	left *bytes.Reader
}

func (r *replay) Read(p []byte) (int, error) {
	if r.left.Len() == 0 {
		r.left.Reset(r.all)
	}
	return r.left.Read(p)
}

// BenchmarkReceive is from the bytes to the handler.
func BenchmarkReceive(b *testing.B) {
	for _, s := range benchmarked {
		b.Run(securityName(s.policy, s.mode), func(b *testing.B) {
			r := &replay{left: bytes.NewReader(nil)}
			h := newEcho()
			h.handle = func(*Channel, uint32, []byte) error { return nil }
			c := openOn(b, r, h, s.policy, s.mode)
			w := writer{c: openOn(b, sink{}, newEcho(), s.policy, s.mode)}
			w.c.id = c.id
			const round = 128
			for range round {
				w.chunk(chunkFinal, 1, w.c.out.using, make([]byte, benchBody))
			}
			r.all = w.buf
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%round == 0 {
					c.counting = false
				}
				f, err := peek(c.in)
				if err == nil {
					err = c.dispatch(f)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOracle is what BenchmarkSend's encryption would cost with uapolicy.
func BenchmarkOracle(b *testing.B) {
	nonce := make([]byte, 32)
	a, err := uapolicy.Symmetric(ua.SecurityPolicyURIBasic256Sha256, nonce, nonce)
	require.NoError(b, err)
	message := make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = a.Signature(message)
		_, _ = a.Encrypt(message)
	}
}
