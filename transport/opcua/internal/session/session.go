package session

import (
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Session is what a client has.
type Session struct {
	// ID is public, the token is not.
	ID *ua.NodeID
	// Name and Application are what the client calls itself; cut to 256 bytes.
	Name, Application string
	// Data is what the caller keeps with the session.
	Data any

	table       *Table
	token       [tokenLength]byte
	certificate []byte // of the client, at CreateSession
	timeout     time.Duration
	timer       *time.Timer
	used        int64 // when a request came last, in ns since the table's epoch; atomic

	// Below: guarded by the table's lock.
	channel       Channel
	activated     bool // on its channel
	everActivated bool
	lost          bool // its channel is gone
	user          string
	nonce         []byte
	failures      int
}

// Token is what the client shows with each request.
func (s *Session) Token() *ua.NodeID { return ua.NewByteStringNodeID(0, s.token[:]) }

// Timeout is how long the session may be idle.
func (s *Session) Timeout() time.Duration { return s.timeout }

// Nonce is what the client has to sign, or to put behind a password, next time.
func (s *Session) Nonce() []byte {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	return s.nonce
}

// User is the name the client has logged in with; empty if none.
func (s *Session) User() string {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	return s.user
}

// Channel is the channel it was created or activated on last.
func (s *Session) Channel() Channel {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	return s.channel
}

// Activated says whether the session is, on its channel.
func (s *Session) Activated() bool {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	return s.activated
}

// Touch marks the session as used: by who waited for an answer, when it comes.
func (s *Session) Touch() { atomic.StoreInt64(&s.used, s.table.now()) }

// expire is called by the timer: at the earliest when the session may have been idle too long.
func (s *Session) expire() {
	t := s.table
	t.mu.Lock()
	if t.sessions[s.token] != s { // it ended while the timer waited for the lock
		t.mu.Unlock()
		return
	}
	idle := time.Duration(t.now() - atomic.LoadInt64(&s.used))
	switch limit := s.limit(); {
	case t.options.Busy(s):
		s.timer.Reset(limit)
	case idle < limit:
		s.timer.Reset(limit - idle)
	default:
		removed := t.remove(s)
		t.mu.Unlock()
		if removed {
			s.ended(ua.StatusBadSessionClosed, true)
		}
		return
	}
	t.mu.Unlock()
}

// limit is how long the session may be idle now. The caller has the lock.
func (s *Session) limit() time.Duration {
	if s.everActivated {
		return s.timeout
	}
	return min(s.timeout, s.table.options.ActivateTimeout)
}

func (s *Session) ended(why ua.StatusCode, deleteSubscriptions bool) {
	s.table.options.Ended(s, why, deleteSubscriptions)
}
