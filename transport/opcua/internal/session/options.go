package session

import (
	"crypto/rsa"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Options of a table. Zero values of limits and times mean their defaults.
type Options struct {
	// Certificate (DER) and Key are the server's. nil: no policy but None, and no passwords.
	Certificate []byte
	Key         *rsa.PrivateKey
	// Anonymous lets clients in that say no name. Login judges those that do; nil: nobody.
	Anonymous bool
	Login     func(user, password string) bool
	// Data makes what the caller keeps with a session.
	Data func(*Session) any
	// Busy says that a session is not idle, although it sends nothing.
	Busy func(*Session) bool
	// Ended hears of the end of each session, once, outside of locks. CloseSession may ask to
	// delete the subscriptions; every other end does.
	Ended func(s *Session, why ua.StatusCode, deleteSubscriptions bool)

	Max                    int           // sessions; 100
	MinTimeout, MaxTimeout time.Duration // of an idle session; 1 s, 1 h
	ActivateTimeout        time.Duration // 10 s
}

const (
	nonceLength    = 32
	tokenLength    = 32
	defaultTimeout = time.Minute
	maxFailures    = 5
)

func (o *Options) complete() {
	if o.Max == 0 {
		o.Max = 100
	}
	if o.MinTimeout == 0 {
		o.MinTimeout = time.Second
	}
	if o.MaxTimeout == 0 {
		o.MaxTimeout = time.Hour
	}
	if o.ActivateTimeout == 0 {
		o.ActivateTimeout = 10 * time.Second
	}
	if o.Data == nil {
		o.Data = func(*Session) any { return nil }
	}
	if o.Busy == nil {
		o.Busy = func(*Session) bool { return false }
	}
	if o.Ended == nil {
		o.Ended = func(*Session, ua.StatusCode, bool) {}
	}
}
