package channel

import (
	"slices"
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

// maxTokens is how many there are at most: one in use, and what renewals that overtook each other
// have made.
const maxTokens = 4

// tokens are those that the client may use. They belong to the reader.
//
//  1. OPN makes a new one; the client may still have messages under way with the one before, and
//     cannot understand the new one before the response is there.
//  2. It may ask for another before it has used that one, and use it while it waits: each that has
//     not expired is accepted, but for the oldest unused ones of a client that only ever asks.
//  3. The client uses a new one: those before it are gone, and what it is sent changes over.
type tokens struct {
	valid []*token // oldest first; the first is in use
	last  uint32   // the id of the newest
}

// issue adds a token.
func (ts *tokens) issue(lifetime time.Duration, in, out *keys) *token {
	if len(ts.valid) == maxTokens {
		ts.valid = slices.Delete(ts.valid, 1, 2)
	}
	ts.last++
	t := &token{id: ts.last, lifetime: lifetime, created: time.Now(), in: in, out: out}
	ts.valid = append(ts.valid, t)
	return t
}

// find returns the token that a chunk says it is protected with.
func (ts *tokens) find(id uint32) (*token, error) {
	i := slices.IndexFunc(ts.valid, func(t *token) bool { return t.id == id })
	if i < 0 {
		return nil, refuse(ua.StatusBadSecureChannelTokenUnknown, "there is no token %d", id)
	}
	t := ts.valid[i]
	if t != ts.newest() && time.Now().After(t.expires()) { // the newest is the deadline of the connection
		return nil, refuse(ua.StatusBadSecureChannelTokenUnknown, "token %d has expired", id)
	}
	return t, nil
}

func (ts *tokens) newest() *token { return ts.valid[len(ts.valid)-1] }

// use is called when a chunk protected with t has been verified; it returns whether that was its
// first use: the client knows it by now, and has no need of those before it.
func (ts *tokens) use(t *token) bool {
	if t.used {
		return false
	}
	t.used = true
	ts.valid = slices.Delete(ts.valid, 0, slices.Index(ts.valid, t))
	return true
}

// lifetime is what a client gets that asks for so many milliseconds; it may leave it to us with 0.
func (s *Server) lifetime(ms uint32) time.Duration {
	if ms == 0 {
		return s.MaxLifetime
	}
	return min(max(time.Duration(ms)*time.Millisecond, s.MinLifetime), s.MaxLifetime)
}
