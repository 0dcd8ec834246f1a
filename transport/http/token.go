package http

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
)

// token is the one bearer token that requests must carry, as its hash: what is compared has
// one length, and a dump of the memory does not show it here.
type token struct {
	set  bool
	hash [sha256.Size]byte
}

func newToken(text string) token {
	return token{text != "", sha256.Sum256([]byte(text))}
}

// admits says whether an Authorization header carries the token. Its scheme is matched without
// regard to case (RFC 9110 section 11.1), the token in constant time.
func (t *token) admits(authorization []byte) bool {
	if !t.set {
		return true
	}
	scheme, credential, _ := bytes.Cut(authorization, []byte(" "))
	hash := sha256.Sum256(bytes.Trim(credential, " "))
	return is(scheme, "bearer") && subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1
}
