package http

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/flowsync-go/flowsync/core"
)

// Engine is what the server needs of [core.Engine].
type Engine interface {
	Begin(*core.Call, core.Completer) core.ID
	Cancel(core.ID) bool
	Crowded() bool
}

// The limits of a request body, in bytes.
const (
	DefaultMaxBody = 100_000
	LargestMaxBody = 512_000
)

// How long a connection may take, unless [Options] say otherwise. None of these ends a request that
// is held: it has arrived, and its reply is not being written yet.
const (
	DefaultReadTimeout  = 10 * time.Second
	DefaultIdleTimeout  = time.Minute
	DefaultWriteTimeout = 30 * time.Second
)

// maxHeader bounds request line and field lines together, in bytes.
const maxHeader = 16 << 10

// Options of a server. The zero value serves no transaction routes, for want of an engine.
type Options struct {
	// Engine holds the transactions. Required by transaction routes.
	Engine Engine
	// TLS, if set, is used on every listener; at least version 1.2 is spoken whatever it says.
	TLS *tls.Config
	// AllowOrigins are the origins of web pages that may send requests besides our own, such as
	// "https://plant.example"; "*" allows all of them. The hosts in it may also be named by
	// Host on a loopback listener.
	AllowOrigins []string
	// Token, if set, is what every request must carry as "Authorization: Bearer <token>".
	Token string
	// Logger hears of panics and of failures to accept. nil: slog.Default().
	Logger *slog.Logger
	// ReadTimeout is how long a request may take to arrive. 0: DefaultReadTimeout.
	ReadTimeout time.Duration
	// IdleTimeout is how long a connection may wait for its next request. 0: DefaultIdleTimeout.
	IdleTimeout time.Duration
	// WriteTimeout is how long a reply may take to be written. 0: DefaultWriteTimeout.
	WriteTimeout time.Duration
	// MaxConnections bounds the connections that are open at a time. What comes above it waits
	// in the operating system's queue. 0: 131 072, or what the limit on file descriptors leaves
	// when others have had their share.
	MaxConnections int
	// FreeSheds is how many requests a second, on all connections, may be shed without further
	// ado while the engine is crowded. A connection on which one more is shed is read again only after a second, as its
	// requester was told (Retry-After): who asks again at once would else cost the time that
	// answers need. 0: 100. Negative: as many as there are.
	FreeSheds int
}

// reserved is how many descriptors requesters leave to others: the broker, the operator, files.
const reserved = 64

// affordable is how many connections may be open where so many descriptors may.
func affordable(descriptors uint64) int {
	const most = 1 << 17
	if descriptors >= most+reserved {
		return most
	}
	return int(max(1, descriptors/2, descriptors-min(descriptors, reserved)))
}

func (o *Options) complete() error {
	var errs []error
	for _, d := range []struct {
		name     string
		value    *time.Duration
		standard time.Duration
	}{
		{"ReadTimeout", &o.ReadTimeout, DefaultReadTimeout},
		{"IdleTimeout", &o.IdleTimeout, DefaultIdleTimeout},
		{"WriteTimeout", &o.WriteTimeout, DefaultWriteTimeout},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
		if *d.value < 0 {
			errs = append(errs, fmt.Errorf("http: %s is %v, want a positive duration", d.name, *d.value))
		}
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = affordable(descriptors())
	}
	if o.MaxConnections < 0 {
		errs = append(errs, fmt.Errorf("http: MaxConnections is %d, want a positive number", o.MaxConnections))
	}
	if o.FreeSheds == 0 {
		o.FreeSheds = 100
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, errors.New("http: Token may have visible ASCII characters only, as it travels in a header"))
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return errors.Join(errs...)
}

// freeSheds allows those that are shed without further ado.
func (o *Options) freeSheds() *rate.Limiter {
	if o.FreeSheds < 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(o.FreeSheds), o.FreeSheds)
}

// serverTLS returns the configuration to serve with: a copy with our minimum.
func serverTLS(c *tls.Config) *tls.Config {
	if c == nil {
		return nil
	}
	c = c.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	c.NextProtos = []string{"http/1.1"}
	return c
}
