package rawclient

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"io"
	"math/big"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keys makes the key and certificate of one side, once.
func keys(bits int) func() ([]byte, *rsa.PrivateKey) {
	return sync.OnceValues(func() ([]byte, *rsa.PrivateKey) {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), URIs: []*url.URL{{Scheme: "urn", Opaque: "rawclient"}}}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			panic(err)
		}
		return der, key
	})
}

var (
	clientKeys = keys(2048)
	serverKeys = keys(2048)
	longKeys   = keys(3072)
)

// fake is the server's side, as far as a client needs one: no more than one connection at a time
// is judged, and nothing is refused that the tests do not ask for.
type fake struct {
	t         testing.TB
	listener  net.Listener
	o         Options // the server's own
	chunk     int     // bytes of a chunk it sends
	endpoints []*ua.EndpointDescription
	handle    func(s *serving, id uint32, request ua.Request)
	wg        sync.WaitGroup
}

// serving is one connection of the fake.
type serving struct {
	f        *fake
	conn     net.Conn
	opening  *suite
	tokens   map[uint32]*token
	newest   uint32
	sequence uint32
	part     []byte // of a request

	mu      sync.Mutex // guards what follows
	sending *token     // what the client used last
}

func newFake(t testing.TB, o Options, handle func(s *serving, id uint32, request ua.Request)) *fake {
	o, err := o.withDefaults()
	require.NoError(t, err)
	f := &fake{t: t, o: o, chunk: 65_535, handle: handle}
	f.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	f.endpoints = []*ua.EndpointDescription{{
		Server: &ua.ApplicationDescription{ApplicationName: ua.NewLocalizedText("")}, SecurityPolicyURI: o.Policy, SecurityMode: o.Mode, ServerCertificate: o.Certificate,
		UserIdentityTokens: []*ua.UserTokenPolicy{
			{PolicyID: "anon", TokenType: ua.UserTokenTypeAnonymous},
			{PolicyID: "user", TokenType: ua.UserTokenTypeUserName},
		},
	}}
	f.wg.Go(f.accept)
	t.Cleanup(func() {
		_ = f.listener.Close()
		f.wg.Wait()
	})
	return f
}

func (f *fake) url() string { return "opc.tcp://" + f.listener.Addr().String() + "/UA" }

func (f *fake) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.wg.Go(func() {
			defer conn.Close()
			s := &serving{f: f, conn: conn, tokens: map[uint32]*token{}}
			in := bufio.NewReader(conn)
			for s.next(in) {
			}
		})
	}
}

func (s *serving) next(in *bufio.Reader) bool {
	frame := make([]byte, headSize)
	if _, err := io.ReadFull(in, frame); err != nil {
		return false
	}
	frame = append(frame, make([]byte, binary.LittleEndian.Uint32(frame[4:])-headSize)...)
	if _, err := io.ReadFull(in, frame[headSize:]); err != nil {
		return false
	}
	switch string(frame[:3]) {
	case "HEL":
		s.hello(frame)
	case "OPN":
		s.open(frame)
	case "MSG":
		s.message(frame)
	case "CLO":
		return false
	default:
		s.f.t.Errorf("the client sent %q", frame[:4])
		return false
	}
	return true
}

func (s *serving) hello(frame []byte) {
	var h uacp.Hello
	_, err := h.Decode(frame[headSize:])
	require.NoError(s.f.t, err)
	require.Equal(s.f.t, s.f.url(), h.EndpointURL)
	body, err := (&uacp.Acknowledge{ReceiveBufSize: 8192, SendBufSize: uint32(s.f.chunk)}).Encode()
	require.NoError(s.f.t, err)
	b := append(appendHead(nil, "ACK", 'F'), body...)
	putSize(b, len(b))
	s.write(b)
}

func (s *serving) write(b []byte) { _, _ = s.conn.Write(b) }

func (s *serving) open(frame []byte) {
	t := s.f.t
	var h uasc.AsymmetricSecurityHeader
	n, err := h.Decode(frame[12:])
	require.NoError(t, err)
	o := s.f.o
	if h.SecurityPolicyURI == ua.SecurityPolicyURINone { // who only asks for endpoints
		o.Policy, o.Mode = ua.SecurityPolicyURINone, ua.MessageSecurityModeNone
	} else {
		require.Equal(t, uapolicy.Thumbprint(s.f.o.Certificate), h.ReceiverCertificateThumbprint)
		o.ServerCertificate = h.SenderCertificate // of the other side, that is
	}
	s.opening, err = newAsymmetric(&o)
	require.NoError(t, err)
	plain, err := s.opening.unseal(frame, 12+n)
	require.NoError(t, err)
	_, service, err := ua.DecodeService(plain[sequenceSize:])
	require.NoError(t, err)
	r := service.(*ua.OpenSecureChannelRequest)
	nonce, err := s.opening.MakeNonce()
	require.NoError(t, err)
	keys, err := newSymmetric(&o, nonce, r.ClientNonce)
	require.NoError(t, err)
	s.newest++
	s.tokens[s.newest] = &token{suite: keys, channel: 7, id: s.newest}
	if r.RequestType == ua.SecurityTokenRequestTypeIssue {
		s.sending = s.tokens[s.newest]
	}
	body := encodeResponse(t, &ua.OpenSecureChannelResponse{
		ResponseHeader: header(r, ua.StatusOK),
		SecurityToken:  &ua.ChannelSecurityToken{ChannelID: 7, TokenID: s.newest, RevisedLifetime: r.RequestedLifetime / 2},
		ServerNonce:    nonce,
	})
	b := binary.LittleEndian.AppendUint32(appendHead(nil, "OPN", 'F'), 7)
	h.SenderCertificate, h.ReceiverCertificateThumbprint = s.f.o.Certificate, nil
	security, err := h.Encode()
	require.NoError(t, err)
	b = append(b, security...)
	secret := len(b)
	b = append(s.numbers(b, binary.LittleEndian.Uint32(plain[4:])), body...)
	b, err = s.opening.seal(b, 0, secret)
	require.NoError(t, err)
	s.write(b)
}

func (s *serving) numbers(b []byte, id uint32) []byte {
	s.sequence++
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, s.sequence), id)
}

func (s *serving) message(frame []byte) {
	t := s.f.t
	k := s.tokens[binary.LittleEndian.Uint32(frame[12:])]
	require.NotNil(t, k)
	plain, err := k.unseal(frame, symmetricSize)
	require.NoError(t, err)
	s.mu.Lock()
	s.sending = k
	s.mu.Unlock()
	s.part = append(s.part, plain[sequenceSize:]...)
	switch frame[3] {
	case 'C':
		return
	case 'A':
		s.part = nil
		return
	}
	body := s.part
	s.part = nil
	id := binary.LittleEndian.Uint32(plain[4:])
	_, service, err := ua.DecodeService(body)
	if err != nil {
		s.respond(id, &ua.ServiceFault{ResponseHeader: header(nil, ua.StatusBadServiceUnsupported)})
		return
	}
	switch r := service.(type) {
	case *ua.GetEndpointsRequest:
		s.respond(id, &ua.GetEndpointsResponse{ResponseHeader: header(r, ua.StatusOK), Endpoints: s.f.endpoints})
	case *ua.CreateSessionRequest:
		s.respond(id, s.createSession(r))
	case *ua.ActivateSessionRequest:
		s.respond(id, s.activate(r))
	case *ua.CloseSessionRequest:
		s.respond(id, &ua.CloseSessionResponse{ResponseHeader: header(r, ua.StatusOK)})
	default:
		s.f.handle(s, id, service.(ua.Request))
	}
}

var serverNonce = []byte("a nonce of thirty-two bytes here")

func (s *serving) createSession(r *ua.CreateSessionRequest) ua.Response {
	signature := &ua.SignatureData{}
	if s.opening.sign {
		var err error
		signature.Signature, err = s.opening.Signature(join(r.ClientCertificate, r.ClientNonce))
		require.NoError(s.f.t, err)
	}
	return &ua.CreateSessionResponse{
		ResponseHeader: header(r, ua.StatusOK), SessionID: ua.NewNumericNodeID(1, 1),
		AuthenticationToken: ua.NewByteStringNodeID(0, []byte("token")), RevisedSessionTimeout: r.RequestedSessionTimeout / 2,
		ServerNonce: serverNonce, ServerCertificate: s.f.o.Certificate, ServerEndpoints: s.f.endpoints, ServerSignature: signature,
	}
}

func (s *serving) activate(r *ua.ActivateSessionRequest) ua.Response {
	require.Equal(s.f.t, ua.NewByteStringNodeID(0, []byte("token")), r.RequestHeader.AuthenticationToken)
	if s.opening.sign {
		require.NoError(s.f.t, s.opening.VerifySignature(join(s.f.o.Certificate, serverNonce), r.ClientSignature.Signature))
	}
	status := ua.StatusOK
	if token, ok := r.UserIdentityToken.Value.(*ua.UserNameIdentityToken); ok {
		password := token.Password
		if s.opening.sign {
			b, err := s.opening.Decrypt(password)
			require.NoError(s.f.t, err)
			require.Equal(s.f.t, len(b)-4, int(binary.LittleEndian.Uint32(b)))
			password = b[4 : len(b)-len(serverNonce)]
		}
		if token.PolicyID != "user" || token.UserName != "ann" || string(password) != "secret" {
			status = ua.StatusBadUserAccessDenied
		}
	}
	if status != ua.StatusOK {
		return &ua.ServiceFault{ResponseHeader: header(r, status)}
	}
	return &ua.ActivateSessionResponse{ResponseHeader: header(r, ua.StatusOK), ServerNonce: serverNonce}
}

func header(r ua.Request, status ua.StatusCode) *ua.ResponseHeader {
	h := &ua.ResponseHeader{ServiceResult: status, ServiceDiagnostics: &ua.DiagnosticInfo{}, AdditionalHeader: ua.NewExtensionObject(nil)}
	if r != nil {
		h.RequestHandle = r.Header().RequestHandle
	}
	return h
}

func encodeResponse(t testing.TB, r ua.Response) []byte {
	n := ua.ServiceTypeID(r)
	b, err := ua.Encode(r)
	require.NoError(t, err)
	return append([]byte{1, 0, byte(n), byte(n >> 8)}, b...)
}

// respond sends a response, in chunks of the fake's size.
func (s *serving) respond(id uint32, r ua.Response) {
	body := encodeResponse(s.f.t, r)
	room := s.current().room(s.f.chunk, symmetricSize)
	for len(body) > room {
		s.chunk('C', id, body[:room])
		body = body[room:]
	}
	s.chunk('F', id, body)
}

func (s *serving) current() *token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sending
}

func (s *serving) chunk(kind byte, id uint32, body []byte) {
	k := s.current()
	b := binary.LittleEndian.AppendUint32(appendHead(nil, "MSG", kind), k.channel)
	b = binary.LittleEndian.AppendUint32(b, k.id)
	b = append(s.numbers(b, id), body...)
	b, err := k.seal(b, 0, symmetricSize)
	require.NoError(s.f.t, err)
	s.write(b)
}

// dial connects a client to the fake.
func dial(t testing.TB, f *fake, o Options) *Client {
	t.Helper()
	o.Endpoint = f.url()
	o.Policy, o.Mode = f.o.Policy, f.o.Mode
	if o.Mode != ua.MessageSecurityModeNone && o.Key == nil {
		o.Certificate, o.Key = clientKeys()
	}
	c, err := Dial(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}
