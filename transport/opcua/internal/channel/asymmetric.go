package channel

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
	"github.com/gopcua/opcua/uasc"
)

const (
	maxPolicyURI       = 255
	maxPeerCertificate = 16 << 10 // with its chain
	maxOwnCertificate  = 4096
	// maxBlocks bounds the RSA operations that a stranger can cause with one OPN. A request of
	// ordinary size has 2 to 4.
	maxBlocks = 16
	// A padding that can be longer than a byte counts has a second one (OPC 10000-6, 6.7.2.5).
	extraPaddingFrom = 2048/8 + 1
)

// envelope is how OPN messages of a channel are protected: policy, keys and certificates of both
// sides. The zero value is the policy None. It does not change while the channel is open.
type envelope struct {
	policy     string
	suite      suite
	algorithm  *uapolicy.EncryptionAlgorithm // nil with the policy None
	key        *rsa.PrivateKey
	own        []byte // our certificate
	client     []byte // the client's, without chain
	blockBytes int    // of the client's key
}

// openEnvelope judges the security header of the first OPN (OPC 10000-6, 6.7.2.3).
func (s *Server) openEnvelope(h *uasc.AsymmetricSecurityHeader) (*envelope, error) {
	if h.SecurityPolicyURI == ua.SecurityPolicyURINone {
		return &envelope{policy: h.SecurityPolicyURI}, nil
	}
	suite, known := suiteOf(h.SecurityPolicyURI)
	if !known || s.Key == nil || !s.allowedWithAnyMode(h.SecurityPolicyURI) {
		return nil, refuse(ua.StatusBadSecurityPolicyRejected, "")
	}
	if !bytes.Equal(h.ReceiverCertificateThumbprint, uapolicy.Thumbprint(s.Certificate)) {
		return nil, insecure("the message is for another certificate than ours (thumbprint %x)", h.ReceiverCertificateThumbprint)
	}
	client, key, err := s.judgeCertificate(h.SenderCertificate)
	if err != nil {
		return nil, err
	}
	algorithm, err := uapolicy.Asymmetric(h.SecurityPolicyURI, s.Key, key)
	if err != nil {
		return nil, insecure("the client's certificate: %w", err)
	}
	return &envelope{h.SecurityPolicyURI, suite, algorithm, s.Key, s.Certificate, client, key.Size()}, nil
}

func (s *Server) allowedWithAnyMode(policy string) bool {
	return s.Allowed(policy, ua.MessageSecurityModeSign) || s.Allowed(policy, ua.MessageSecurityModeSignAndEncrypt)
}

// judgeCertificate returns the sender's own certificate: the first, if it came with its chain.
func (s *Server) judgeCertificate(chain []byte) ([]byte, *rsa.PublicKey, error) {
	if len(chain) > maxPeerCertificate {
		return nil, nil, insecure("a certificate of %d bytes", len(chain))
	}
	var first asn1.RawValue
	if _, err := asn1.Unmarshal(chain, &first); err != nil {
		return nil, nil, insecure("the client's certificate cannot be read: %w", err)
	}
	certificate, err := x509.ParseCertificate(first.FullBytes)
	if err != nil {
		return nil, nil, insecure("the client's certificate cannot be read: %w", err)
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, nil, insecure("the client's certificate has no RSA key")
	}
	return first.FullBytes, key, s.judgeTrust(first.FullBytes)
}

// judgeTrust asks whether a certificate is trusted, now.
func (s *Server) judgeTrust(der []byte) error {
	if s.Trust == nil {
		return insecure("no certificates are trusted")
	}
	if status, err := s.Trust(der); status != ua.StatusOK || err != nil {
		return insecure("the certificate is refused with %w: %w", status, err)
	}
	return nil
}

// same says whether a later OPN has the security of the first.
func (e *envelope) same(h *uasc.AsymmetricSecurityHeader) bool {
	if h.SecurityPolicyURI != e.policy {
		return false
	}
	return e.algorithm == nil || bytes.HasPrefix(h.SenderCertificate, e.client) &&
		bytes.Equal(h.ReceiverCertificateThumbprint, uapolicy.Thumbprint(e.own))
}

// unwrap decrypts and checks an OPN whose headers have start bytes. What it returns begins with
// the sequence header.
func (e *envelope) unwrap(b []byte, start int) ([]byte, error) {
	if e.algorithm == nil {
		return b[start:], nil
	}
	encrypted := b[start:]
	if n := len(encrypted); n == 0 || n%e.key.Size() != 0 || n > maxBlocks*e.key.Size() {
		return nil, insecure("%d encrypted bytes are not 1 to %d blocks of our key", n, maxBlocks)
	}
	plain, err := e.algorithm.Decrypt(encrypted)
	if err != nil {
		return nil, insecure("OPN cannot be decrypted: %w", err)
	}
	end := len(plain) - e.algorithm.RemoteSignatureLength()
	if end < 2 {
		return nil, insecure("OPN has no room for a signature")
	}
	signed := append(b[:start:start], plain[:end]...)
	if err := e.algorithm.VerifySignature(signed, plain[end:]); err != nil {
		return nil, insecure("the signature of OPN is wrong: %w", err)
	}
	pad := int(plain[end-1]) + 1
	if e.key.Size() >= extraPaddingFrom {
		pad = int(plain[end-1])<<8 + int(plain[end-2]) + 2
	}
	if end -= pad; end < 0 {
		return nil, insecure("OPN has more padding than message")
	}
	return plain[:end], nil
}

// wrap appends an OPN to out.
func (e *envelope) wrap(out []byte, channel, sequence, request uint32, body []byte) ([]byte, error) {
	start := len(out)
	out = append(out, "OPNF\x00\x00\x00\x00"...)
	out = binary.LittleEndian.AppendUint32(out, channel)
	h := uasc.NewAsymmetricSecurityHeader(e.policy, e.own, nil)
	if e.client != nil {
		h.ReceiverCertificateThumbprint = uapolicy.Thumbprint(e.client)
	}
	header, err := h.Encode()
	if err != nil {
		return nil, err
	}
	out = append(out, header...)
	protected := len(out)
	out = binary.LittleEndian.AppendUint32(out, sequence)
	out = binary.LittleEndian.AppendUint32(out, request)
	out = append(out, body...)
	if e.algorithm != nil {
		if out, err = e.protect(out, start, protected); err != nil {
			return nil, err
		}
	}
	binary.LittleEndian.PutUint32(out[start+4:], uint32(len(out)-start))
	return out, nil
}

// protect pads, signs out[start:] and encrypts out[protected:].
func (e *envelope) protect(out []byte, start, protected int) ([]byte, error) {
	counters := 1
	if e.blockBytes >= extraPaddingFrom {
		counters = 2
	}
	plain, signature := e.algorithm.PlaintextBlockSize(), e.algorithm.SignatureLength()
	pad := (plain - (len(out)-protected+counters+signature)%plain) % plain
	for range pad + 1 {
		out = append(out, byte(pad))
	}
	if counters == 2 {
		out = append(out, byte(pad>>8))
	}
	// The size is signed as it will be after encryption.
	blocks := (len(out) - protected + signature) / plain
	binary.LittleEndian.PutUint32(out[start+4:], uint32(protected-start+blocks*e.blockBytes))
	s, err := e.algorithm.Signature(out[start:])
	if err != nil {
		return nil, err
	}
	encrypted, err := e.algorithm.Encrypt(append(out, s...)[protected:])
	if err != nil {
		return nil, err
	}
	return append(out[:protected], encrypted...), nil
}
