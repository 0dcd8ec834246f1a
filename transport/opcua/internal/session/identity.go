package session

import (
	"bytes"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"
)

// The ids of the user token policies that endpoints offer.
const (
	AnonymousPolicy = "anonymous"
	UserNamePolicy  = "username"
)

// judgeClient checks what a client says of itself in CreateSession against its channel.
func judgeClient(ch Channel, r *ua.CreateSessionRequest) ua.StatusCode {
	if ch.Policy() == ua.SecurityPolicyURINone {
		return ua.StatusOK
	}
	if len(r.ClientNonce) < nonceLength {
		return ua.StatusBadNonceInvalid
	}
	der := ch.ClientCertificate()
	if !bytes.HasPrefix(r.ClientCertificate, der) { // its chain may follow
		return ua.StatusBadSecurityChecksFailed
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return ua.StatusBadCertificateInvalid
	}
	for _, uri := range certificate.URIs {
		if uri.String() == r.ClientDescription.ApplicationURI {
			return ua.StatusOK
		}
	}
	return ua.StatusBadCertificateURIInvalid
}

// Sign returns the server's signature over what a client sent in CreateSession, which proves that the
// server has the key of its certificate. Without security it is empty.
func (t *Table) Sign(ch Channel, clientCertificate, clientNonce []byte) (*ua.SignatureData, error) {
	if ch.Policy() == ua.SecurityPolicyURINone {
		return &ua.SignatureData{}, nil
	}
	algorithm, err := t.asymmetric(ch)
	if err != nil {
		return nil, err
	}
	signature, err := algorithm.Signature(concat(clientCertificate, clientNonce))
	if err != nil {
		return nil, err
	}
	return &ua.SignatureData{Algorithm: algorithm.SignatureURI(), Signature: signature}, nil
}

// judgeSignature checks that the client has the key of its certificate, now.
func (t *Table) judgeSignature(ch Channel, nonce []byte, s *ua.SignatureData) ua.StatusCode {
	if ch.Policy() == ua.SecurityPolicyURINone {
		return ua.StatusOK
	}
	algorithm, err := t.asymmetric(ch)
	if err != nil {
		return ua.StatusBadSecurityChecksFailed
	}
	if s.Algorithm != algorithm.SignatureURI() || algorithm.VerifySignature(concat(t.options.Certificate, nonce), s.Signature) != nil {
		return ua.StatusBadApplicationSignatureInvalid
	}
	return ua.StatusOK
}

func (t *Table) asymmetric(ch Channel) (*uapolicy.EncryptionAlgorithm, error) {
	peer, err := uapolicy.PublicKey(ch.ClientCertificate())
	if err != nil {
		return nil, err
	}
	return uapolicy.Asymmetric(ch.Policy(), t.options.Key, peer)
}

// judgeUser returns the name that an identity token proves; empty for an anonymous one.
func (t *Table) judgeUser(ch Channel, nonce []byte, object *ua.ExtensionObject) (string, ua.StatusCode) {
	var token any
	if object != nil {
		token = object.Value
	}
	switch token := token.(type) {
	case nil, *ua.AnonymousIdentityToken:
		if !t.options.Anonymous {
			return "", ua.StatusBadIdentityTokenRejected
		}
		return "", ua.StatusOK
	case *ua.UserNameIdentityToken:
		return t.judgePassword(ch, nonce, token)
	default:
		return "", ua.StatusBadIdentityTokenInvalid
	}
}

// UserName is the name that an identity token says, whether it is true or not; empty if it has none.
func UserName(object *ua.ExtensionObject) string {
	if object != nil {
		if token, ok := object.Value.(*ua.UserNameIdentityToken); ok {
			return token.UserName
		}
	}
	return ""
}

// IsRefusedLogin says that Activate has judged an identity token and refused it.
func IsRefusedLogin(status ua.StatusCode) bool {
	return status == ua.StatusBadUserAccessDenied || status == ua.StatusBadIdentityTokenRejected || status == ua.StatusBadIdentityTokenInvalid
}

// judgePassword checks a name and password. Which of the two is wrong, or how it was encrypted
// wrongly, is not told.
func (t *Table) judgePassword(ch Channel, nonce []byte, token *ua.UserNameIdentityToken) (string, ua.StatusCode) {
	if t.options.Login == nil || token.UserName == "" {
		return "", ua.StatusBadIdentityTokenRejected
	}
	if token.EncryptionAlgorithm == "" && ch.Mode() != ua.MessageSecurityModeSignAndEncrypt {
		return "", ua.StatusBadIdentityTokenRejected // everybody on the way has read it
	}
	password, ok := t.openPassword(nonce, token)
	if !ok || !t.options.Login(token.UserName, password) {
		return "", ua.StatusBadUserAccessDenied
	}
	return token.UserName, ua.StatusOK
}

// passwordPolicies are those whose algorithm may encrypt a password. The others use the same, or one that
// must not be used any more.
var passwordPolicies = []string{ua.SecurityPolicyURIBasic256Sha256, ua.SecurityPolicyURIAes256Sha256RsaPss}

// openPassword decrypts a password, which has its length before it and the nonce behind it
// (OPC 10000-4, 7.41.2.2).
func (t *Table) openPassword(nonce []byte, token *ua.UserNameIdentityToken) (string, bool) {
	if token.EncryptionAlgorithm == "" {
		return string(token.Password), true
	}
	algorithm := t.decryption(token.EncryptionAlgorithm)
	if algorithm == nil || len(token.Password) == 0 || len(token.Password)%algorithm.BlockSize() != 0 {
		return "", false
	}
	secret, err := algorithm.Decrypt(token.Password)
	if err != nil {
		return "", false
	}
	length, ok := leadingLength(secret)
	if !ok || length < len(nonce) {
		return "", false
	}
	password, tail := secret[4:4+length-len(nonce)], secret[4+length-len(nonce):4+length]
	return string(password), subtle.ConstantTimeCompare(tail, nonce) == 1
}

// decryption returns the algorithm of a URI; nil: it is none that we take.
func (t *Table) decryption(uri string) *uapolicy.EncryptionAlgorithm {
	if t.options.Key == nil {
		return nil
	}
	for _, policy := range passwordPolicies {
		algorithm, err := uapolicy.Asymmetric(policy, t.options.Key, t.publicKey())
		if err == nil && algorithm.EncryptionURI() == uri {
			return algorithm
		}
	}
	return nil
}

func (t *Table) publicKey() *rsa.PublicKey { return &t.options.Key.PublicKey }

func concat(a, b []byte) []byte { return append(append(make([]byte, 0, len(a)+len(b)), a...), b...) }
