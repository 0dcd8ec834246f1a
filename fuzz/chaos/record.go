//go:build linux

package main

import (
	"strings"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/history/watch"
	"github.com/flowsync-go/flowsync/fuzz/chaos/tap"
)

// recording is a history that is written, and the hooks that write what the taps see into it.
type recording struct {
	*history.History
	hooks tap.Hooks
}

// record begins a new history, in place of the one before. In one that is begun while a gateway runs, its
// life begins anew.
func (s *site) record() {
	h := history.New(0)
	s.recording.Store(&recording{h, watch.Hooks(h, s.life.Load)})
	if number := s.life.Load(); number > 0 {
		h.Life(history.Life{Number: number, State: 1})
	}
}

// history is the one that is written now.
func (s *site) history() *history.History { return s.recording.Load().History }

// hooks write what the gateway's tap sees into the history that is written then.
func (s *site) hooks() tap.Hooks {
	if s.o.Blind {
		return tap.Hooks{}
	}
	now := func() *tap.Hooks { return &s.recording.Load().hooks }
	return tap.Hooks{
		Seen:       func(p *tap.Packet) { now().Seen(p) },
		Forwarding: func(p *tap.Packet) { now().Forwarding(p) },
		Partial:    func(p *tap.Packet, got, length int) { now().Partial(p, got, length) },
		Closed:     func(conn uint64) { now().Closed(conn) },
	}
}

// delivered records what gets to the responder.
func (s *site) delivered(p *tap.Packet) {
	const publish = 3
	topic, ok := strings.CutSuffix(p.Topic, treq)
	if !ok || s.o.Blind || p.Dir != tap.ToClient || p.Type != publish || p.Broken {
		return
	}
	if id, ok := history.IDIn(p.Payload); ok {
		s.history().Delivered(history.Delivered{ID: id, Marker: history.MarkerIn(p.Payload), Topic: topic})
	}
}
