package idempotency

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// The limits of a node's window.
const (
	DefaultWindow = 10 * time.Minute
	MaxWindow     = 7 * 24 * time.Hour
)

// Engine is what the table needs of [core.Engine].
type Engine interface {
	Begin(*core.Call, core.Completer) core.ID
	Cancel(core.ID) bool
	Crowded() bool
}

// Options of a table. The zero value is usable.
type Options struct {
	// Store keeps keys on a disk. nil: they are kept in memory only.
	Store Store
	// MaxKeys is how many keys are known at a time; above it requests with new ones are shed.
	// 0: 100 000.
	MaxKeys int
	// MaxBytes bounds what keys and replies take, in bytes. Requests with new keys are shed when
	// seven eighths are in use; the rest is for replies to come. A reply that does not fit is
	// given to whoever waits for it, but not kept: its key is in doubt then. 0: 64 MiB.
	MaxBytes int64
	// MaxWaiting is how many requests may wait at a time for the outcome of an earlier one;
	// above it they are shed. 0: 10 000.
	MaxWaiting int
	// Logger hears of what could not be written. nil: slog.Default().
	Logger *slog.Logger
}

func (o *Options) complete() error {
	var errs []error
	fault := func(name string, value any) {
		errs = append(errs, fmt.Errorf("idempotency: %s is %v, want a positive number", name, value))
	}
	if o.MaxKeys == 0 {
		o.MaxKeys = 100_000
	}
	if o.MaxKeys < 0 {
		fault("MaxKeys", o.MaxKeys)
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxBytes < 0 {
		fault("MaxBytes", o.MaxBytes)
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 10_000
	}
	if o.MaxWaiting < 0 {
		fault("MaxWaiting", o.MaxWaiting)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return errors.Join(errs...)
}

// NodeOptions say how a node treats keys.
type NodeOptions struct {
	// Window is how long a key is known, from the first request on, at most [MaxWindow]. A key
	// whose request is held longer is known until that ends. 0: [DefaultWindow].
	Window time.Duration
	// Rules and Protocol are the two that Inspect was made of. Either may be nil. A late answer
	// goes through both, and a kept one through Protocol each time it is given again, with
	// Reply.Completer that of the requester who gets it, or nil.
	Rules, Protocol func(*core.Reply) error
}
