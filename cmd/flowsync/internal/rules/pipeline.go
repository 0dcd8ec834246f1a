package rules

import (
	"errors"
	"fmt"
)

// Pipeline is a compiled list of rules. The zero value and an empty list let every message
// through as it is.
type Pipeline struct {
	rules   []rule
	stashed stashes // by Apply; guarded by evaluating
}

// rule is one step. run is called with evaluating held. It changes the message, or returns
// [ErrFiltered] to drop it, or any other error if it fails.
type rule struct {
	Spec
	run func(*message, *run) error
	// Rules with state of their own make it here for every Run.
	start func() any
}

// run is one message's way through the rules: what they may know besides the message.
type run struct {
	index  int // of the rule
	state  any // what its start made
	recall func(label string) any
	keep   func(label string, value any)
	later  func(rule int, b *batch, generation int) // what the timer of a burst calls
}

// Apply runs the rules of a transaction on a message. It returns what the message has become:
// the payload itself if no rule rewrote it, else a slice that the caller owns.
//
// The error is [ErrFiltered] if a rule dropped the message. Any other error says which rule
// failed, and where it stands; it is the content of the message or the rule that must be mended,
// and trying again does not help. Apply does no I/O, but waits for every other evaluation of
// rules in the process.
//
// The pipeline must have been compiled with Transaction; others are used through [Pipeline.Start].
func (p *Pipeline) Apply(in Input) ([]byte, error) {
	m := newMessage(in)
	if err := p.apply(m); err != nil {
		return nil, err
	}
	return m.payload()
}

func (p *Pipeline) apply(m *message) error {
	if len(p.rules) == 0 {
		return nil
	}
	evaluating.Lock()
	defer evaluating.Unlock()
	pending := stashes{}
	defer p.stashed.commit(&pending)
	r := run{recall: p.stashed.recall, keep: pending.keep}
	for i := range p.rules {
		r.index, m.at = i, &p.rules[i]
		if err := p.rules[i].run(m, &r); err != nil {
			return p.rules[i].failed(err)
		}
	}
	return nil
}

// failed says where a rule stands.
func (r *rule) failed(err error) error {
	if errors.Is(err, ErrFiltered) || errors.Is(err, errHeld) {
		return err
	}
	if r.At == "" {
		return fmt.Errorf("rule %s: %w", r.Kind, err)
	}
	return fmt.Errorf("%s: rule %s: %w", r.At, r.Kind, err)
}

// stashes are messages kept by label.
type stashes map[string]any

// recall gives what a label stands for, or null.
func (s *stashes) recall(label string) any {
	if v, ok := (*s)[label]; ok {
		return v
	}
	return null
}

func (s *stashes) keep(label string, v any) { (*s)[label] = v }

// commit makes what one message stashed visible to the next. The labels are those of the
// rules, so there are no more than rules.
func (s *stashes) commit(pending *stashes) {
	for label, v := range *pending {
		if *s == nil {
			*s = stashes{}
		}
		(*s)[label] = v
	}
}
