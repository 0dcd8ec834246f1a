package channel

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/stretchr/testify/require"
)

const (
	basic   = ua.SecurityPolicyURIBasic256Sha256
	sign    = ua.MessageSecurityModeSign
	encrypt = ua.MessageSecurityModeSignAndEncrypt
)

// TestOpenWithPoliciesModesAndKeys with renewals in between. Keys above 2048 bits have a second
// byte of padding size.
func TestOpenWithPoliciesModesAndKeys(t *testing.T) {
	addr := listen(t, testOptions(newEcho()))
	for _, s := range securities[1:] {
		for name, client := range map[string]identity{"2048": clientIdentity(), "3072": longIdentity()} {
			t.Run(securityName(s.policy, s.mode)+"/"+name, func(t *testing.T) {
				p := connect(t, addr).secured(s.policy, s.mode, client)
				p.hello()
				for i := range 3 {
					p.using = p.open()
					for n := range 20 {
						p.echoes(string(bytes.Repeat([]byte{byte(i)}, n)))
					}
				}
			})
		}
	}
}

// TestServerWithALongKey decrypts what has two bytes of padding size.
func TestServerWithALongKey(t *testing.T) {
	o := testOptions(newEcho())
	o.Certificate, o.Key = longIdentity().der, longIdentity().key
	p := connect(t, listen(t, o)).secured(basic, encrypt, clientIdentity())
	server := longIdentity()
	var err error
	p.envelope.algorithm, err = uapolicy.Asymmetric(basic, clientIdentity().key, &server.key.PublicKey)
	require.NoError(t, err)
	p.envelope.client, p.envelope.blockBytes = server.der, server.key.Size()
	p.hello()
	p.open()
	p.echoes("hello")
}

// TestCertificateWithChain: the first is the client's own.
func TestCertificateWithChain(t *testing.T) {
	o := testOptions(newEcho())
	judged := make(chan []byte, 2)
	o.Trust = func(der []byte) (ua.StatusCode, error) { judged <- der; return ua.StatusOK, nil }
	p := connect(t, listen(t, o)).secured(basic, encrypt, clientIdentity())
	p.envelope.own = append(bytes.Clone(clientIdentity().der), longIdentity().der...)
	p.hello()
	nonce := p.nonce()
	p.write(p.opn(p.request(ua.SecurityTokenRequestTypeIssue, nonce)))
	p.envelope.own = clientIdentity().der // the answer's thumbprint is of the first
	require.IsType(t, &ua.OpenSecureChannelResponse{}, p.opened())
	require.Equal(t, clientIdentity().der, <-judged)
}

// TestInsecureOpenings: the peer hears just that; the log hears what.
func TestInsecureOpenings(t *testing.T) {
	var log lockedBuffer
	o := testOptions(newEcho())
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	untrusted := bytes.Clone(shortIdentity().der)
	o.Trust = func(der []byte) (ua.StatusCode, error) {
		if bytes.Equal(der, longIdentity().der) {
			return ua.StatusBadCertificateUntrusted, errors.New("unknown")
		}
		return ua.StatusOK, nil
	}
	for _, c := range []struct {
		name  string
		peer  func(p *peer)
		spoil func(b []byte) []byte
		log   string
	}{
		{"thumbprint", func(p *peer) { p.envelope.client = clientIdentity().der }, nil, "another certificate than ours"},
		{"untrusted", func(p *peer) { p.secured(basic, encrypt, longIdentity()) }, nil, "BadCertificateUntrusted"},
		{"short key", func(p *peer) { p.envelope.own = untrusted }, nil, "remote key size"},
		{"no certificate", func(p *peer) { p.envelope.own = nil }, nil, "cannot be read"},
		{"certificate is noise", func(p *peer) { p.envelope.own = []byte{0x30, 0x01, 0x00} }, nil, "cannot be read"},
		{"certificate too large", func(p *peer) { p.envelope.own = make([]byte, maxPeerCertificate+1) }, nil, "a certificate of"},
		{"another's certificate", func(p *peer) { p.envelope.own = serverIdentity().der }, nil, "signature of OPN is wrong"},
		{"no blocks", nil, func(b []byte) []byte { return b[:len(b)-1] }, "blocks of our key"},
		{"too many blocks", nil, func(b []byte) []byte { return append(b, make([]byte, 16*256)...) }, "blocks of our key"},
		{"not encrypted", nil, func(b []byte) []byte { copy(b[len(b)-256:], make([]byte, 256)); return b }, "cannot be decrypted"},
		{"one block only", nil, func(b []byte) []byte { return b[:len(b)-256] }, "OPN"},
		{"blocks exchanged", nil, func(b []byte) []byte {
			n := len(b)
			return append(append(b[:n-512:n-512], b[n-256:]...), b[n-512:n-256]...)
		}, "signature of OPN is wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			log.Reset()
			p := connect(t, listen(t, o)).secured(basic, encrypt, clientIdentity())
			p.hello()
			if c.peer != nil {
				c.peer(p)
			}
			b := p.opn(p.request(ua.SecurityTokenRequestTypeIssue, p.nonce()))
			if c.spoil != nil {
				b = c.spoil(b)
				binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
			}
			p.write(b)
			require.Empty(t, p.refused(ua.StatusBadSecurityChecksFailed))
			require.Contains(t, log.String(), c.log)
		})
	}
}

// TestRefusedOpenings are answered with a fault, for the client is who it says.
func TestRefusedOpenings(t *testing.T) {
	o := testOptions(newEcho())
	o.Allowed = func(policy string, mode ua.MessageSecurityMode) bool {
		return policy == basic && mode == encrypt
	}
	addr := listen(t, o)
	none, strict := ua.SecurityPolicyURINone, basic
	for _, c := range []struct {
		name   string
		policy string
		change func(r *ua.OpenSecureChannelRequest)
		want   ua.StatusCode
	}{
		{"protocol version", none, func(r *ua.OpenSecureChannelRequest) { r.ClientProtocolVersion = 1 }, ua.StatusBadProtocolVersionUnsupported},
		{"renewal of nothing", none, func(r *ua.OpenSecureChannelRequest) { r.RequestType = ua.SecurityTokenRequestTypeRenew }, ua.StatusBadRequestTypeInvalid},
		{"None signed", none, func(r *ua.OpenSecureChannelRequest) { r.SecurityMode = sign }, ua.StatusBadSecurityModeRejected},
		{"no mode", strict, func(r *ua.OpenSecureChannelRequest) { r.SecurityMode = ua.MessageSecurityModeInvalid }, ua.StatusBadSecurityModeRejected},
		{"policy with mode None", strict, func(r *ua.OpenSecureChannelRequest) { r.SecurityMode = ua.MessageSecurityModeNone }, ua.StatusBadSecurityModeRejected},
		{"mode not allowed", strict, func(r *ua.OpenSecureChannelRequest) { r.SecurityMode = sign }, ua.StatusBadSecurityModeRejected},
		{"no nonce", strict, func(r *ua.OpenSecureChannelRequest) { r.ClientNonce = nil }, ua.StatusBadNonceInvalid},
		{"short nonce", strict, func(r *ua.OpenSecureChannelRequest) { r.ClientNonce = make([]byte, 31) }, ua.StatusBadNonceInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connect(t, addr)
			if c.policy == strict {
				p.secured(strict, encrypt, clientIdentity())
			}
			p.change = c.change
			p.hello()
			p.write(p.opn(p.request(ua.SecurityTokenRequestTypeIssue, p.nonce())))
			fault, ok := p.opened().(*ua.ServiceFault)
			require.True(t, ok)
			require.Equal(t, c.want, fault.ResponseHeader.ServiceResult)
			require.Equal(t, uint32(77), fault.ResponseHeader.RequestHandle)
			p.refused(c.want)
		})
	}
	for _, policy := range []string{"", "http://x", ua.SecurityPolicyURIBasic256, ua.SecurityPolicyURIBasic128Rsa15, ua.SecurityPolicyURIAes128Sha256RsaOaep} {
		t.Run("policy "+policy, func(t *testing.T) {
			p := connect(t, addr)
			p.envelope.policy = policy
			p.hello()
			p.write(p.opn(p.request(ua.SecurityTokenRequestTypeIssue, nil)))
			p.refused(ua.StatusBadSecurityPolicyRejected)
		})
	}
}

func TestBodiesOfOpenings(t *testing.T) {
	o := testOptions(newEcho())
	o.Guard = func(b []byte) error {
		if len(b) == 3 {
			return errors.New("guarded")
		}
		return nil
	}
	addr := listen(t, o)
	read, err := encode(id.CloseSecureChannelRequest_Encoding_DefaultBinary, &ua.CloseSecureChannelRequest{RequestHeader: &ua.RequestHeader{
		AuthenticationToken: ua.NewTwoByteNodeID(0), AdditionalHeader: ua.NewExtensionObject(nil)}})
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		body []byte
		want ua.StatusCode
	}{
		{"guarded", []byte("abc"), ua.StatusBadDecodingError},
		{"noise", []byte("abcd"), ua.StatusBadDecodingError},
		{"empty", nil, ua.StatusBadDecodingError},
		{"another service", read, ua.StatusBadTCPMessageTypeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connect(t, addr)
			p.hello()
			p.write(p.opn(c.body))
			p.refused(c.want)
		})
	}
	t.Run("no sequence header", func(t *testing.T) {
		p := connect(t, addr)
		p.hello()
		b := p.opn(nil)
		b = b[:len(b)-1]
		b[4]--
		p.write(b)
		p.refused(ua.StatusBadDecodingError)
	})
}

// TestRenewalMustBeOfTheSame policy, mode and certificate.
func TestRenewalMustBeOfTheSame(t *testing.T) {
	addr := listen(t, testOptions(newEcho()))
	for _, c := range []struct {
		name   string
		change func(p *peer)
		want   ua.StatusCode
	}{
		{"policy", func(p *peer) { p.envelope.policy = ua.SecurityPolicyURIAes128Sha256RsaOaep }, ua.StatusBadSecurityChecksFailed},
		{"policy None", func(p *peer) { p.envelope = &envelope{policy: ua.SecurityPolicyURINone} }, ua.StatusBadSecurityChecksFailed},
		{"certificate", func(p *peer) { p.secured(basic, encrypt, longIdentity()) }, ua.StatusBadSecurityChecksFailed},
		{"mode", func(p *peer) { p.mode = sign }, ua.StatusBadSecurityModeRejected},
		{"type", func(p *peer) {
			p.change = func(r *ua.OpenSecureChannelRequest) { r.RequestType = ua.SecurityTokenRequestTypeIssue }
		}, ua.StatusBadRequestTypeInvalid},
		{"channel", func(p *peer) { p.channel++ }, ua.StatusBadTCPSecureChannelUnknown},
		{"sequence number", func(p *peer) { p.sequence++ }, ua.StatusBadSequenceNumberInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connect(t, addr).secured(basic, encrypt, clientIdentity())
			p.hello()
			p.open()
			p.echoes("x")
			c.change(p)
			p.write(p.opn(p.request(ua.SecurityTokenRequestTypeRenew, p.nonce())))
			p.refused(c.want)
		})
	}
}

// TestTokensChangeOver when the client uses the new one, in both directions.
func TestTokensChangeOver(t *testing.T) {
	for _, s := range securities {
		t.Run(securityName(s.policy, s.mode), func(t *testing.T) {
			p := connect(t, listen(t, testOptions(newEcho())))
			if s.policy != ua.SecurityPolicyURINone {
				p.secured(s.policy, s.mode, clientIdentity())
			}
			p.hello()
			first := p.open()
			require.Equal(t, first.id, p.echoes("one"))
			second := p.open()
			require.Equal(t, first.id, p.echoes("still the old one"))
			p.using = second
			require.Equal(t, second.id, p.echoes("the new one"))
			third, fourth := p.open(), p.open()
			require.Equal(t, second.id, p.echoes("two that were not used"))
			p.using = fourth
			require.Equal(t, fourth.id, p.echoes("the newest"))
			p.using = third
			p.write(p.chunk("MSGF", 1, "dropped"))
			p.refused(ua.StatusBadSecureChannelTokenUnknown)
		})
	}
}

// TestRenewalsThatOvertake: a client that asked for another token before it used the new one uses
// that one while it waits, as one does that was slow to send its next request.
func TestRenewalsThatOvertake(t *testing.T) {
	p := connect(t, listen(t, testOptions(newEcho())))
	p.hello()
	first := p.open()
	require.Equal(t, first.id, p.echoes("one"))
	second, third := p.open(), p.open()
	p.using = second
	require.Equal(t, second.id, p.echoes("the one that it has got"))
	p.using = third
	require.Equal(t, third.id, p.echoes("the newest"))
	for range 20 { // only the newest of those that it never uses are kept
		p.using = p.open()
	}
	require.Equal(t, p.using.id, p.echoes("the last"))
}

// TestTrustIsJudgedAtRenewals: who loses our trust keeps what he has until his token ends.
func TestTrustIsJudgedAtRenewals(t *testing.T) {
	var lost atomic.Bool
	o := testOptions(newEcho())
	o.Trust = func([]byte) (ua.StatusCode, error) {
		if lost.Load() {
			return ua.StatusBadCertificateUntrusted, nil
		}
		return ua.StatusOK, nil
	}
	p := connect(t, listen(t, o)).secured(ua.SecurityPolicyURIBasic256Sha256, encrypt, clientIdentity())
	p.hello()
	p.open()
	p.using = p.open()
	p.echoes("trusted")
	lost.Store(true)
	p.echoes("still with its token")
	p.write(p.opn(p.request(ua.SecurityTokenRequestTypeRenew, p.nonce())))
	p.refused(ua.StatusBadSecurityChecksFailed)
}

func TestLifetimesAreRevised(t *testing.T) {
	o := testOptions(newEcho())
	o.MinLifetime, o.MaxLifetime = 2*time.Second, 5*time.Second
	addr := listen(t, o)
	for asked, want := range map[uint32]time.Duration{0: 5 * time.Second, 1: 2 * time.Second, 3000: 3 * time.Second, 1<<32 - 1: 5 * time.Second} {
		p := connect(t, addr)
		p.lifetime = asked
		p.hello()
		require.Equal(t, want, p.open().lifetime)
	}
}

// lockedBuffer is a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lockedBuffer) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b.Reset()
}

func testLogger(l *lockedBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }
