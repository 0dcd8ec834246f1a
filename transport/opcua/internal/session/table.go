package session

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Channel is what the table needs of a secure channel. It must be comparable.
type Channel interface {
	Policy() string
	Mode() ua.MessageSecurityMode
	ClientCertificate() []byte
}

// Table has all sessions.
type Table struct {
	options Options
	epoch   time.Time

	mu       sync.RWMutex // guards all below and what Session says; only what Busy takes is below it
	sessions map[[tokenLength]byte]*Session
	order    []*Session // by age
	lastID   uint32
	closed   bool
}

// NewTable returns an empty table.
func NewTable(o Options) *Table {
	o.complete()
	return &Table{options: o, epoch: time.Now(), sessions: map[[tokenLength]byte]*Session{}}
}

// Create makes a session for a client, which has yet to be activated.
func (t *Table) Create(ch Channel, r *ua.CreateSessionRequest) (*Session, ua.StatusCode) {
	if status := judgeClient(ch, r); status != ua.StatusOK {
		return nil, status
	}
	s := &Session{
		table: t, channel: ch, certificate: ch.ClientCertificate(), nonce: newNonce(),
		timeout: t.reviseTimeout(r.RequestedSessionTimeout), used: t.now(),
		Name: clip(r.SessionName), Application: clip(r.ClientDescription.ApplicationURI),
	}
	rand.Read(s.token[:]) // never fails, see crypto/rand
	s.Data = t.options.Data(s)
	evicted, ok := t.admit(s)
	if evicted != nil {
		evicted.ended(ua.StatusBadSessionClosed, true)
	}
	if !ok {
		return nil, ua.StatusBadTooManySessions
	}
	return s, ua.StatusOK
}

// admit takes a session in. If need be the oldest one that was never activated makes place, or
// else the oldest one whose connection is lost.
func (t *Table) admit(s *Session) (evicted *Session, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, false
	}
	if len(t.order) >= t.options.Max {
		i := slices.IndexFunc(t.order, func(other *Session) bool { return !other.everActivated })
		if i < 0 {
			i = slices.IndexFunc(t.order, func(other *Session) bool { return other.lost })
		}
		if i < 0 {
			return nil, false
		}
		evicted = t.order[i]
		t.remove(evicted)
	}
	t.lastID++
	s.ID = ua.NewNumericNodeID(1, t.lastID)
	t.sessions[s.token] = s
	t.order = append(t.order, s)
	s.timer = time.AfterFunc(min(s.timeout, t.options.ActivateTimeout), s.expire)
	return evicted, true
}

// remove takes a session out, if it is in. The caller has the lock.
func (t *Table) remove(s *Session) bool {
	i := slices.Index(t.order, s)
	if i < 0 {
		return false
	}
	t.order = slices.Delete(t.order, i, i+1)
	delete(t.sessions, s.token)
	s.timer.Stop()
	return true
}

// Find returns the session that a token means on a channel, for any service but
// ActivateSession, and marks it as used. Else the status says what is wrong. A session that is
// used before it is activated ends (OPC 10000-4, 5.6.3).
func (t *Table) Find(ch Channel, token []byte) (*Session, ua.StatusCode) {
	s, status := t.find(ch, token)
	if status == ua.StatusBadSessionNotActivated {
		t.End(s, status, true)
	}
	if status != ua.StatusOK {
		return nil, status
	}
	return s, ua.StatusOK
}

func (t *Table) find(ch Channel, token []byte) (*Session, ua.StatusCode) {
	if len(token) != tokenLength {
		return nil, ua.StatusBadSessionIDInvalid
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.sessions[[tokenLength]byte(token)]
	switch {
	case s == nil:
		return nil, ua.StatusBadSessionIDInvalid
	case s.channel != ch:
		return nil, ua.StatusBadSecureChannelIDInvalid
	case !s.activated:
		return s, ua.StatusBadSessionNotActivated
	}
	s.Touch()
	return s, ua.StatusOK
}

// Unactivated returns the session that a token means if it is bound to the channel, activated or
// not: a client may close what it has just created.
func (t *Table) Unactivated(ch Channel, token []byte) (*Session, ua.StatusCode) {
	s, status := t.find(ch, token)
	if status == ua.StatusBadSessionNotActivated {
		status = ua.StatusOK
	}
	return s, status
}

// Lost notes that a channel is gone. Its sessions may be taken up again over another.
func (t *Table) Lost(ch Channel) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.order {
		s.lost = s.lost || s.channel == ch
	}
}

// End ends a session; false if it had ended before.
func (t *Table) End(s *Session, why ua.StatusCode, deleteSubscriptions bool) bool {
	t.mu.Lock()
	removed := t.remove(s)
	t.mu.Unlock()
	if removed {
		s.ended(why, deleteSubscriptions)
	}
	return removed
}

// All returns the sessions there are, the oldest first.
func (t *Table) All() []*Session {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.order)
}

// Close ends all sessions and lets no new one in. No timer remains.
func (t *Table) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	for _, s := range t.All() {
		t.End(s, ua.StatusBadSessionClosed, true)
	}
}

func (t *Table) now() int64 { return int64(time.Since(t.epoch)) }

func (t *Table) reviseTimeout(requested float64) time.Duration {
	if !(requested > 0) { // also if it is no number
		return defaultTimeout
	}
	ns := math.Min(requested*float64(time.Millisecond), float64(t.options.MaxTimeout))
	return max(t.options.MinTimeout, time.Duration(ns))
}

func newNonce() []byte {
	nonce := make([]byte, nonceLength)
	rand.Read(nonce)
	return nonce
}

// maxText bounds what is kept of a client's own words, in bytes.
const maxText = 256

func clip(text string) string {
	if len(text) > maxText {
		return text[:maxText]
	}
	return text
}

// leadingLength reads the length that stands before a password.
func leadingLength(secret []byte) (int, bool) {
	if len(secret) < 4 {
		return 0, false
	}
	n := binary.LittleEndian.Uint32(secret)
	return int(n), uint64(n) <= uint64(len(secret)-4)
}
