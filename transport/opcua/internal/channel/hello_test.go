package channel

import (
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

func TestHelloAgreesOnTheSmaller(t *testing.T) {
	h := newEcho()
	o := testOptions(h)
	o.ReceiveBuffer, o.SendBuffer, o.MaxMessage, o.MaxChunks = 20_000, 30_000, 40_000, 7
	addr := listen(t, o)

	p := connect(t, addr)
	ack := p.hello()
	require.EqualValues(t, 0, ack.Version)
	require.EqualValues(t, 20_000, ack.ReceiveBufSize)
	require.EqualValues(t, 30_000, ack.SendBufSize)
	require.EqualValues(t, 40_000, ack.MaxMessageSize)
	require.EqualValues(t, 7, ack.MaxChunkCount)

	p = connect(t, addr)
	p.hel.SendBufSize, p.hel.ReceiveBufSize = 8192, 9000
	ack = p.hello()
	require.EqualValues(t, 8192, ack.ReceiveBufSize)
	require.EqualValues(t, 9000, ack.SendBufSize)
}

// TestChannelTellsAboutItself is what the handler asks.
func TestChannelTellsAboutItself(t *testing.T) {
	seen := make(chan *Channel, 1)
	h := newEcho()
	h.handle = func(c *Channel, _ uint32, _ []byte) error { seen <- c; return nil }
	p := connect(t, listen(t, testOptions(h))).secured(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSign, clientIdentity())
	p.hello()
	p.open()
	p.write(p.chunk("MSGF", 1, "x"))
	c := <-seen
	require.Equal(t, p.channel, c.ID())
	require.Equal(t, ua.SecurityPolicyURIBasic256Sha256, c.Policy())
	require.Equal(t, ua.MessageSecurityModeSign, c.Mode())
	require.Equal(t, clientIdentity().der, c.ClientCertificate())
	require.Equal(t, "opc.tcp://plc/x", c.EndpointURL())
	require.Equal(t, p.conn.RemoteAddr(), c.LocalAddr())
	require.Equal(t, p.conn.LocalAddr(), c.RemoteAddr())
	p.write(p.chunk("CLOF", 2, "")) // no more than that is looked at
	require.Same(t, c, <-h.closed)
	c.Send(1, []byte("dropped"))
	c.Close(ua.StatusBadShutdown, true)
	p.eof()
}

func hel(receive, send uint32, url string) []byte {
	p := peer{}
	p.hel.ReceiveBufSize, p.hel.SendBufSize, p.hel.EndpointURL = receive, send, url
	b, _ := p.hel.Encode()
	return framed("HELF", b)
}

// TestBeforeTheChannelIsOpen is what strangers may send.
func TestBeforeTheChannelIsOpen(t *testing.T) {
	addr := listen(t, testOptions(newEcho()))
	good := string(hel(65535, 65535, ""))
	for _, c := range []struct {
		name, bytes string
		want        ua.StatusCode
	}{
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", ua.StatusBadTCPMessageTypeInvalid},
		{"unknown type", "XYZF\x08\x00\x00\x00", ua.StatusBadTCPMessageTypeInvalid},
		{"reverse hello", "RHEF\x08\x00\x00\x00", ua.StatusBadTCPMessageTypeInvalid},
		{"wrong chunk type", "HELC\x20\x00\x00\x00", ua.StatusBadTCPMessageTypeInvalid},
		{"smaller than its header", "HELF\x07\x00\x00\x00", ua.StatusBadTCPMessageTooLarge},
		{"larger than any", "HELF\xff\xff\xff\xff", ua.StatusBadTCPMessageTooLarge},
		{"larger than a HEL", "HELF\x00\x00\x01\x00", ua.StatusBadTCPMessageTooLarge},
		{"HEL too short", string(framed("HELF", []byte("x"))), ua.StatusBadDecodingError},
		{"URL too long", string(hel(65535, 65535, strings.Repeat("x", maxURL+1))), ua.StatusBadTCPEndpointURLInvalid},
		{"receive buffer too small", string(hel(8191, 65535, "")), ua.StatusBadConnectionRejected},
		{"send buffer too small", string(hel(65535, 8191, "")), ua.StatusBadConnectionRejected},
		{"OPN first", string(framed("OPNF", make([]byte, 100))), ua.StatusBadTCPMessageTypeInvalid},
		{"HEL twice", good + good, ua.StatusBadTCPMessageTypeInvalid},
		{"MSG before OPN", good + string(framed("MSGF", make([]byte, 100))), ua.StatusBadTCPMessageTypeInvalid},
		{"CLO before OPN", good + string(framed("CLOF", make([]byte, 100))), ua.StatusBadTCPMessageTypeInvalid},
		{"OPN in chunks", good + string(framed("OPNC", make([]byte, 100))), ua.StatusBadTCPMessageTypeInvalid},
		{"OPN of 60 kB", good + string(framed("OPNF", make([]byte, 60_000))), ua.StatusBadTCPMessageTooLarge},
		{"OPN too short", good + string(framed("OPNF", nil)), ua.StatusBadDecodingError},
		{"OPN of a channel", good + string(framed("OPNF", []byte{1, 0, 0, 0})), ua.StatusBadTCPSecureChannelUnknown},
		{"OPN without security header", good + string(framed("OPNF", make([]byte, 4))), ua.StatusBadDecodingError},
		{"a string longer than OPN", good + string(framed("OPNF", []byte("\x00\x00\x00\x00\xfe\xff\xff\xff"))), ua.StatusBadDecodingError},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connect(t, addr)
			p.write([]byte(c.bytes))
			p.refused(c.want)
		})
	}
	for name, bytes := range map[string]string{"nothing": "", "half a header": "HEL", "half a HEL": good[:20], "half an OPN": good + "OPNF\x40\x00\x00\x00"} {
		t.Run("hangs up after "+name, func(t *testing.T) {
			p := connect(t, addr)
			p.write([]byte(bytes))
			if strings.HasPrefix(bytes, good) {
				p.read()
			}
			require.NoError(t, p.conn.(interface{ CloseWrite() error }).CloseWrite())
			p.eof()
		})
	}
	p := connect(t, addr) // and others are served
	p.hello()
	p.open()
	p.echoes("hello")
}

func TestResetDuringHandshake(t *testing.T) {
	addr := listen(t, testOptions(newEcho()))
	for range 20 {
		p := connect(t, addr)
		p.write(hel(65535, 65535, "")[:25])
		require.NoError(t, p.conn.(interface{ SetLinger(int) error }).SetLinger(0))
		_ = p.conn.Close()
	}
	p := connect(t, addr)
	p.hello()
	p.open()
	p.echoes("hello")
}

func TestRefuse(t *testing.T) {
	s, err := NewServer(testOptions(newEcho()))
	require.NoError(t, err)
	ours, theirs := tcpPair(t)
	p := newPeer(t, theirs)
	done := make(chan struct{})
	go func() { defer close(done); s.Refuse(ours, ua.StatusBadTCPServerTooBusy) }()
	p.refused(ua.StatusBadTCPServerTooBusy)
	_ = theirs.Close()
	<-done
}

func TestOptionsAreJudged(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(o *Options)
		saying string
	}{
		{"no handler", func(o *Options) { o.Handler = nil }, "Handler is missing"},
		{"no guard", func(o *Options) { o.Guard = nil }, "Guard is missing"},
		{"small buffer", func(o *Options) { o.SendBuffer = 8000 }, "SendBuffer is 8000, it must be at least 8192"},
		{"huge buffer", func(o *Options) { o.ReceiveBuffer = 1 << 30 }, "ReceiveBuffer"},
		{"lifetimes", func(o *Options) { o.MaxLifetime = time.Second }, "MaxLifetime"},
		{"negative", func(o *Options) { o.WriteTimeout = -1 }, "WriteTimeout"},
		{"no key", func(o *Options) { o.Key = nil }, "together"},
		{"another key", func(o *Options) { o.Key = clientIdentity().key }, "not the one of Certificate"},
		{"no certificate", func(o *Options) { o.Certificate = []byte("x") }, "Certificate"},
		{"short key", func(o *Options) { o.Certificate, o.Key = shortIdentity().der, shortIdentity().key }, "1024 bits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := testOptions(newEcho())
			c.change(&o)
			_, err := NewServer(o)
			require.ErrorContains(t, err, c.saying)
		})
	}
	s, err := NewServer(Options{Handler: newEcho(), Guard: func([]byte) error { return nil }})
	require.NoError(t, err)
	require.False(t, s.allows(ua.SecurityPolicyURIBasic256Sha256, ua.MessageSecurityModeSign))
	s.channel.Store(^uint32(0))
	require.EqualValues(t, 1, s.nextID(), "0 is no channel")
}
