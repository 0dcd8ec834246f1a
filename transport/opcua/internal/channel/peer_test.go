package channel

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"
	"github.com/stretchr/testify/require"
)

// peer is a client that does as it is told, right or wrong.
type peer struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader

	policy   string
	mode     ua.MessageSecurityMode
	envelope *envelope
	hel      uacp.Hello
	channel  uint32
	sequence uint32 // the last sent
	heard    uint32 // the last sequence number that came
	now      map[uint32]*token
	newest   *token
	using    *token // what is sent is protected with
	lifetime uint32
	// change spoils a request before it is sent.
	change func(*ua.OpenSecureChannelRequest)
}

// connect is a peer on a TCP connection.
func connect(t testing.TB, addr string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return newPeer(t, conn)
}

func newPeer(t testing.TB, conn net.Conn) *peer {
	return &peer{
		t: t, conn: conn, in: bufio.NewReader(conn),
		policy:   ua.SecurityPolicyURINone,
		mode:     ua.MessageSecurityModeNone,
		envelope: &envelope{policy: ua.SecurityPolicyURINone},
		hel:      uacp.Hello{ReceiveBufSize: 65535, SendBufSize: 65535, EndpointURL: "opc.tcp://plc/x"},
		now:      map[uint32]*token{},
		lifetime: 3_600_000,
	}
}

// secured makes the peer speak a policy.
func (p *peer) secured(policy string, mode ua.MessageSecurityMode, as identity) *peer {
	algorithm, err := uapolicy.Asymmetric(policy, as.key, &serverIdentity().key.PublicKey)
	require.NoError(p.t, err)
	s, _ := suiteOf(policy)
	p.policy, p.mode = policy, mode
	p.envelope = &envelope{policy, s, algorithm, as.key, as.der, serverIdentity().der, serverIdentity().key.Size()}
	return p
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	_, err := p.conn.Write(b)
	require.NoError(p.t, err)
}

// read returns the next frame.
func (p *peer) read() []byte {
	p.t.Helper()
	header, err := p.in.Peek(headerSize)
	require.NoError(p.t, err)
	b := make([]byte, binary.LittleEndian.Uint32(header[4:]))
	_, err = io.ReadFull(p.in, b)
	require.NoError(p.t, err)
	return b
}

// refused reads until an ERR, which must be the last thing.
func (p *peer) refused(want ua.StatusCode) string {
	p.t.Helper()
	for {
		b := p.read()
		if string(b[:4]) != "ERRF" {
			continue
		}
		var e uacp.Error
		_, err := e.Decode(b[headerSize:])
		require.NoError(p.t, err)
		require.Equal(p.t, want, ua.StatusCode(e.ErrorCode), e.Reason)
		p.eof()
		return e.Reason
	}
}

// eof expects the end.
func (p *peer) eof() {
	p.t.Helper()
	_, err := p.in.ReadByte()
	require.ErrorIs(p.t, err, io.EOF)
}

func (p *peer) hello() *uacp.Acknowledge {
	p.t.Helper()
	b, err := p.hel.Encode()
	require.NoError(p.t, err)
	p.write(framed("HELF", b))
	answer := p.read()
	require.Equal(p.t, "ACKF", string(answer[:4]))
	var ack uacp.Acknowledge
	_, err = ack.Decode(answer[headerSize:])
	require.NoError(p.t, err)
	return &ack
}

// request is an OPN request's body.
func (p *peer) request(kind ua.SecurityTokenRequestType, nonce []byte) []byte {
	r := &ua.OpenSecureChannelRequest{
		RequestHeader: &ua.RequestHeader{
			AuthenticationToken: ua.NewTwoByteNodeID(0), Timestamp: time.Now(), RequestHandle: 77,
			AdditionalHeader: ua.NewExtensionObject(nil),
		},
		RequestType: kind, SecurityMode: p.mode, ClientNonce: nonce, RequestedLifetime: p.lifetime,
	}
	if p.change != nil {
		p.change(r)
	}
	body, err := encode(id.OpenSecureChannelRequest_Encoding_DefaultBinary, r)
	require.NoError(p.t, err)
	return body
}

// opn is an OPN with a body.
func (p *peer) opn(body []byte) []byte {
	p.sequence++
	b, err := p.envelope.wrap(nil, p.channel, p.sequence, 900+p.sequence, body)
	require.NoError(p.t, err)
	return b
}

func (p *peer) nonce() []byte {
	if p.envelope.algorithm == nil {
		return nil
	}
	nonce, err := p.envelope.algorithm.MakeNonce()
	require.NoError(p.t, err)
	return nonce
}

// open opens or renews the channel; the peer goes on with the token that it used.
func (p *peer) open() *token {
	p.t.Helper()
	kind := ua.SecurityTokenRequestTypeRenew
	if p.channel == 0 {
		kind = ua.SecurityTokenRequestTypeIssue
	}
	nonce := p.nonce()
	p.write(p.opn(p.request(kind, nonce)))
	r, ok := p.opened().(*ua.OpenSecureChannelResponse)
	require.True(p.t, ok, "not a response but a fault")
	require.Equal(p.t, uint32(77), r.ResponseHeader.RequestHandle)
	if p.channel == 0 {
		p.channel = r.SecurityToken.ChannelID
	}
	require.Equal(p.t, p.channel, r.SecurityToken.ChannelID)
	require.NotContains(p.t, p.now, r.SecurityToken.TokenID, "a token's number comes again")
	t := &token{id: r.SecurityToken.TokenID, lifetime: time.Duration(r.SecurityToken.RevisedLifetime) * time.Millisecond}
	if p.envelope.algorithm != nil {
		require.Len(p.t, r.ServerNonce, 32)
		encrypt := p.mode == ua.MessageSecurityModeSignAndEncrypt
		t.out, _ = p.envelope.suite.deriveKeys(r.ServerNonce, nonce, encrypt)
		t.in, _ = p.envelope.suite.deriveKeys(nonce, r.ServerNonce, encrypt)
	}
	p.now[t.id], p.newest = t, t
	if p.using == nil {
		p.using = t
	}
	return t
}

// opened reads the answer to an OPN.
func (p *peer) opened() any {
	p.t.Helper()
	b := p.read()
	require.Equal(p.t, "OPNF", string(b[:4]), "%q", b)
	var h uasc.AsymmetricSecurityHeader
	n, err := h.Decode(b[secureSize:])
	require.NoError(p.t, err)
	require.True(p.t, p.envelope.same(&h), "policy, certificate or thumbprint of the answer")
	plain, err := p.envelope.unwrap(b, secureSize+n)
	require.NoError(p.t, err)
	p.hear(binary.LittleEndian.Uint32(plain))
	require.Equal(p.t, 900+p.sequence, binary.LittleEndian.Uint32(plain[4:]), "request id")
	_, m, err := ua.DecodeService(plain[8:])
	require.NoError(p.t, err)
	return m
}

func (p *peer) hear(sequence uint32) {
	p.t.Helper()
	p.heard++
	require.Equal(p.t, p.heard, sequence, "sequence number")
}

// chunk is a chunk of a MSG; it counts.
func (p *peer) chunk(kind string, request uint32, part string) []byte {
	p.sequence++
	b := append([]byte(kind), 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, p.channel)
	b = binary.LittleEndian.AppendUint32(b, p.using.id)
	b = binary.LittleEndian.AppendUint32(b, p.sequence)
	b = binary.LittleEndian.AppendUint32(b, request)
	return p.using.out.protect(append(b, part...), 0)
}

// next reads one chunk of a MSG: its type, token, request id and part.
func (p *peer) next() (kind byte, token, request uint32, part string) {
	p.t.Helper()
	b := p.read()
	require.Equal(p.t, "MSG", string(b[:3]), "%q", b)
	require.Equal(p.t, p.channel, binary.LittleEndian.Uint32(b[headerSize:]))
	token = binary.LittleEndian.Uint32(b[secureSize:])
	require.Contains(p.t, p.now, token)
	b, err := p.now[token].in.unprotect(b)
	require.NoError(p.t, err)
	p.hear(binary.LittleEndian.Uint32(b[chunkStart:]))
	return b[3], token, binary.LittleEndian.Uint32(b[bodyStart-4:]), string(b[bodyStart:])
}

// echoes sends a message and expects it back; it returns the token of the answer.
func (p *peer) echoes(body string) uint32 {
	p.t.Helper()
	p.write(p.chunk("MSGF", 5, body))
	kind, token, request, part := p.next()
	require.Equal(p.t, byte(chunkFinal), kind)
	require.Equal(p.t, uint32(5), request)
	require.Equal(p.t, body, part)
	return token
}

// ready is a peer that is connected to a server of its own, with an open channel.
func ready(t testing.TB, o Options) *peer {
	t.Helper()
	p := connect(t, listen(t, o))
	p.hello()
	p.open()
	return p
}
