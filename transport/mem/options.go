package mem

import (
	"errors"
	"fmt"
	"time"
)

// Options of a [Bus]. The zero value is a network without faults.
type Options struct {
	// Seed decides which messages meet which fault.
	Seed uint64
	// Requests are the faults on the way to responders, Answers those on the way back.
	Requests, Answers Faults
	// Limit is how many messages may be under way at once, and how many may be retained.
	// 0: 262 144.
	Limit int
}

// Faults are what may happen to messages of one direction. Shares are from 0 (never) to 1.
type Faults struct {
	// Drop is the share of messages that are lost.
	Drop float64
	// Duplicate is the share of messages that arrive twice, each copy with a delay of its own.
	Duplicate float64
	// Reorder is the share of messages that may overtake those before them on the same topic.
	// The others stay in order. It needs delays that differ.
	Reorder float64
	// Each message takes from MinDelay to MaxDelay, evenly spread, and longer where it must stay
	// in order. At most 1 h.
	MinDelay, MaxDelay time.Duration
}

const (
	defaultLimit = 1 << 18
	maxDelay     = time.Hour
)

func (o *Options) complete() error {
	errs := []error{o.Requests.check("Requests"), o.Answers.check("Answers")}
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	if o.Limit < 0 {
		errs = append(errs, fmt.Errorf("mem: Limit is %d, want a positive number", o.Limit))
	}
	return errors.Join(errs...)
}

func (f *Faults) check(where string) error {
	var errs []error
	for _, share := range []struct {
		name  string
		value float64
	}{{"Drop", f.Drop}, {"Duplicate", f.Duplicate}, {"Reorder", f.Reorder}} {
		if !(share.value >= 0 && share.value <= 1) { // also true of NaN
			errs = append(errs, fmt.Errorf("mem: %s.%s is %v, want a share from 0 to 1", where, share.name, share.value))
		}
	}
	if f.MinDelay < 0 || f.MaxDelay < f.MinDelay || f.MaxDelay > maxDelay {
		errs = append(errs, fmt.Errorf("mem: %s are delayed by %v to %v, want 0 or more, at most %v, the larger one last", where, f.MinDelay, f.MaxDelay, maxDelay))
	}
	if f.Reorder > 0 && f.MaxDelay == f.MinDelay {
		errs = append(errs, fmt.Errorf("mem: %s.Reorder has no effect when all are delayed by the same time: set MaxDelay", where))
	}
	return errors.Join(errs...)
}
