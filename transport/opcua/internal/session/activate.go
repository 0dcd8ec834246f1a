package session

import (
	"bytes"

	"github.com/gopcua/opcua/ua"
)

// Activate proves a client's identity and binds its session to the channel it comes over. On
// success the session has a new nonce. rebound says that it came from another channel.
func (t *Table) Activate(ch Channel, token []byte, r *ua.ActivateSessionRequest) (s *Session, rebound bool, status ua.StatusCode) {
	s, now, status := t.candidate(ch, token)
	if status != ua.StatusOK {
		return nil, false, status
	}
	if status := t.judgeSignature(ch, now.nonce, r.ClientSignature); status != ua.StatusOK {
		return nil, false, status
	}
	user, status := t.judgeUser(ch, now.nonce, r.UserIdentityToken)
	if status == ua.StatusOK && now.everActivated && user != now.user && now.channel != ch {
		status = ua.StatusBadIdentityTokenRejected // another user may not take a session over
	}
	if status != ua.StatusOK {
		t.fail(s)
		return nil, false, status
	}
	return t.bind(s, ch, user, now)
}

// candidate is what is known of a session before its client has proved anything.
func (t *Table) candidate(ch Channel, token []byte) (*Session, standing, ua.StatusCode) {
	if len(token) != tokenLength {
		return nil, standing{}, ua.StatusBadSessionIDInvalid
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.sessions[[tokenLength]byte(token)]
	switch {
	case s == nil:
		return nil, standing{}, ua.StatusBadSessionIDInvalid
	case s.channel != ch && !s.everActivated:
		return nil, standing{}, ua.StatusBadSecureChannelIDInvalid
	case !bytes.Equal(s.certificate, ch.ClientCertificate()):
		return nil, standing{}, ua.StatusBadSecurityChecksFailed
	}
	return s, standing{channel: s.channel, nonce: s.nonce, user: s.user, everActivated: s.everActivated}, ua.StatusOK
}

// standing is the part of a session that an activation is judged by.
type standing struct {
	channel       Channel
	nonce         []byte
	user          string
	everActivated bool
}

// bind finishes an activation, unless the session has ended or was activated meanwhile.
func (t *Table) bind(s *Session, ch Channel, user string, judged standing) (*Session, bool, ua.StatusCode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.sessions[s.token] != s || !bytes.Equal(s.nonce, judged.nonce) {
		return nil, false, ua.StatusBadSessionIDInvalid
	}
	rebound := s.channel != ch
	s.channel, s.user, s.nonce, s.failures = ch, user, newNonce(), 0
	s.activated, s.everActivated, s.lost = true, true, false
	s.Touch()
	s.timer.Reset(s.timeout)
	return s, rebound, ua.StatusOK
}

// fail counts a login that was refused; too many in a row end the session.
func (t *Table) fail(s *Session) {
	t.mu.Lock()
	s.failures++
	tooMany := s.failures >= maxFailures
	t.mu.Unlock()
	if tooMany {
		t.End(s, ua.StatusBadSessionClosed, true)
	}
}
