package channel

import (
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uasc"
)

// maxOpen is the size of an OPN: its security header, and encrypted blocks of the longest key.
const maxOpen = secureSize + 12 + maxPolicyURI + maxPeerCertificate + 20 + maxBlocks*512

// opening is an OPN request after its security has been verified.
type opening struct {
	envelope *envelope
	sequence uint32
	request  uint32 // its id
	message  *ua.OpenSecureChannelRequest
}

// open handles an OPN: the first, or one that renews the token.
func (c *Channel) open(b []byte) error {
	o, err := c.readOpening(b)
	if err != nil {
		return err
	}
	if err := c.count(o.sequence); err != nil {
		return err
	}
	if status := c.judgeOpening(o); status != ua.StatusOK {
		return c.answerFault(o, status)
	}
	return c.issue(o)
}

// readOpening takes an OPN apart.
func (c *Channel) readOpening(b []byte) (*opening, error) {
	if len(b) < secureSize {
		return nil, refuse(ua.StatusBadDecodingError, "OPN is too short")
	}
	var expected uint32 // a channel gets its number with the first OPN
	if c.envelope != nil {
		expected = c.id
	}
	if got := binary.LittleEndian.Uint32(b[headerSize:]); got != expected {
		return nil, refuse(ua.StatusBadTCPSecureChannelUnknown, "there is no channel %d on this connection", got)
	}
	var h uasc.AsymmetricSecurityHeader
	n, err := h.Decode(b[secureSize:])
	if err != nil || len(h.SecurityPolicyURI) > maxPolicyURI {
		return nil, refuse(ua.StatusBadDecodingError, "the security header of OPN")
	}
	o := &opening{envelope: c.envelope}
	if o.envelope == nil {
		o.envelope, err = c.server.openEnvelope(&h)
	} else if !o.envelope.same(&h) {
		err = insecure("a renewal with another policy or certificate")
	} else if o.envelope.algorithm != nil { // it may have lost our trust since
		err = c.server.judgeTrust(o.envelope.client)
	}
	if err != nil {
		return nil, err
	}
	plain, err := o.envelope.unwrap(b, secureSize+n)
	if err != nil {
		return nil, err
	}
	return o, o.decode(plain, c.server.Guard)
}

// decode reads what was protected.
func (o *opening) decode(plain []byte, guard func([]byte) error) error {
	if len(plain) < 8 {
		return refuse(ua.StatusBadDecodingError, "OPN is too short")
	}
	o.sequence = binary.LittleEndian.Uint32(plain)
	o.request = binary.LittleEndian.Uint32(plain[4:])
	if err := guard(plain[8:]); err != nil {
		return &refusal{status: ua.StatusBadDecodingError, reason: "the body of OPN", detail: err}
	}
	_, message, err := ua.DecodeService(plain[8:])
	if err != nil {
		return &refusal{status: ua.StatusBadDecodingError, reason: "the body of OPN", detail: err}
	}
	m, ok := message.(*ua.OpenSecureChannelRequest)
	if !ok {
		return refuse(ua.StatusBadTCPMessageTypeInvalid, "OPN carries another request")
	}
	o.message = m
	return nil
}

// judgeOpening says what is wrong with a request that came from whom it says.
func (c *Channel) judgeOpening(o *opening) ua.StatusCode {
	m, e := o.message, o.envelope
	first := c.envelope == nil
	expected := ua.SecurityTokenRequestTypeRenew
	if first {
		expected = ua.SecurityTokenRequestTypeIssue
	}
	switch {
	case m.ClientProtocolVersion != c.agreed.version:
		return ua.StatusBadProtocolVersionUnsupported
	case m.RequestType != expected:
		return ua.StatusBadRequestTypeInvalid
	case !first && m.SecurityMode != c.mode, !c.server.allows(e.policy, m.SecurityMode):
		return ua.StatusBadSecurityModeRejected
	case e.algorithm != nil && len(m.ClientNonce) != e.algorithm.NonceLength():
		return ua.StatusBadNonceInvalid
	}
	return ua.StatusOK
}

// allows takes care that no mode comes with a policy that cannot have it.
func (s *Server) allows(policy string, mode ua.MessageSecurityMode) bool {
	if policy == ua.SecurityPolicyURINone {
		return mode == ua.MessageSecurityModeNone
	}
	return (mode == ua.MessageSecurityModeSign || mode == ua.MessageSecurityModeSignAndEncrypt) && s.Allowed(policy, mode)
}

// issue makes the token and answers.
func (c *Channel) issue(o *opening) error {
	if c.envelope == nil {
		c.envelope, c.mode = o.envelope, o.message.SecurityMode
	}
	in, out, nonce, err := c.keys(o)
	if err != nil {
		return err
	}
	lifetime := c.server.lifetime(o.message.RequestedLifetime)
	t := c.tokens.issue(lifetime, in, out)
	body, err := encode(id.OpenSecureChannelResponse_Encoding_DefaultBinary, &ua.OpenSecureChannelResponse{
		ResponseHeader: o.header(ua.StatusOK),
		SecurityToken: &ua.ChannelSecurityToken{
			ChannelID:       c.id,
			TokenID:         t.id,
			CreatedAt:       t.created.UTC(),
			RevisedLifetime: uint32(lifetime / time.Millisecond),
		},
		ServerNonce: nonce,
	})
	if err != nil {
		return err
	}
	c.out.issued(t, item{kind: itemOpen, request: o.request, body: body, envelope: o.envelope})
	c.out.readBy(t.expires())
	return nil
}

// keys are those of a new token. Those that protect what the client sends come first.
func (c *Channel) keys(o *opening) (in, out *keys, nonce []byte, err error) {
	e := o.envelope
	if e.algorithm == nil {
		return nil, nil, nil, nil
	}
	nonce = make([]byte, e.algorithm.NonceLength())
	_, _ = rand.Read(nonce) // never fails
	encrypt := c.mode == ua.MessageSecurityModeSignAndEncrypt
	if in, err = e.suite.deriveKeys(nonce, o.message.ClientNonce, encrypt); err != nil {
		return nil, nil, nil, err
	}
	out, err = e.suite.deriveKeys(o.message.ClientNonce, nonce, encrypt)
	return in, out, nonce, err
}

// answerFault says no in an OPN (OPC 10000-6, 6.7.4) and ends the connection.
func (c *Channel) answerFault(o *opening, status ua.StatusCode) error {
	body, err := encode(id.ServiceFault_Encoding_DefaultBinary, &ua.ServiceFault{ResponseHeader: o.header(status)})
	if err != nil {
		return err
	}
	c.out.add(item{kind: itemOpen, request: o.request, body: body, envelope: o.envelope})
	return &refusal{status: status, reason: "OPN was refused", flush: true}
}

func (o *opening) header(status ua.StatusCode) *ua.ResponseHeader {
	return &ua.ResponseHeader{
		Timestamp:          time.Now().UTC(),
		RequestHandle:      o.message.RequestHeader.RequestHandle,
		ServiceResult:      status,
		ServiceDiagnostics: &ua.DiagnosticInfo{},
		AdditionalHeader:   ua.NewExtensionObject(nil),
	}
}

// encode makes a body.
func encode(typeID uint16, message any) ([]byte, error) {
	b := ua.NewBuffer(nil)
	b.WriteStruct(ua.NewFourByteExpandedNodeID(0, typeID))
	b.WriteStruct(message)
	return b.Bytes(), b.Error()
}
