package channel

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// token is one set of keys, with its lifetime.
type token struct {
	id       uint32
	lifetime time.Duration
	created  time.Time
	in, out  *keys // of what the client sends and of what it is sent; nil with the policy None
	used     bool  // the client has used it
}

// expires is when it is not accepted any more (OPC 10000-4, 5.5.2.1: a quarter late is fine).
func (t *token) expires() time.Time { return t.created.Add(t.lifetime + t.lifetime/4) }

// tokens are those that the client may use. They belong to the reader.
//
//  1. OPN makes a new one; the client may still have messages under way with the one before, and
//     cannot understand the new one before the response is there.
//  2. The client uses the new one: it is the only one from then on, in both directions.
//
// A client that asks for another before it used the new one loses that one: there are never more
// than two.
type tokens struct {
	newest   *token
	previous *token // the one in use until newest is
	last     uint32 // the id of the newest
}

// issue adds a token.
func (ts *tokens) issue(lifetime time.Duration, in, out *keys) *token {
	if ts.newest != nil && (ts.newest.used || ts.previous == nil) {
		ts.previous = ts.newest
	}
	ts.last++
	ts.newest = &token{id: ts.last, lifetime: lifetime, created: time.Now(), in: in, out: out}
	return ts.newest
}

// find returns the token that a chunk says it is protected with.
func (ts *tokens) find(id uint32) (*token, error) {
	switch {
	case id == ts.newest.id:
		return ts.newest, nil
	case ts.previous == nil || id != ts.previous.id:
		return nil, refuse(ua.StatusBadSecureChannelTokenUnknown, "there is no token %d", id)
	case time.Now().After(ts.previous.expires()):
		return nil, refuse(ua.StatusBadSecureChannelTokenUnknown, "token %d has expired", id)
	}
	return ts.previous, nil
}

// use is called when a chunk protected with t has been verified; it returns whether that was the
// first use of the newest: the client knows it by now.
func (ts *tokens) use(t *token) bool {
	if t.used {
		return false
	}
	t.used = true
	if t != ts.newest {
		return false
	}
	ts.previous = nil
	return true
}

// lifetime is what a client gets that asks for so many milliseconds; it may leave it to us with 0.
func (s *Server) lifetime(ms uint32) time.Duration {
	if ms == 0 {
		return s.MaxLifetime
	}
	return min(max(time.Duration(ms)*time.Millisecond, s.MinLifetime), s.MaxLifetime)
}
