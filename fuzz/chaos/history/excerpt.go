package history

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxLines bounds an excerpt.
const maxLines = 40

// line is an event as text.
type line struct {
	at   time.Duration
	seq  uint64
	text string
}

// excerpt is a story in lines, with the faults that were on meanwhile.
func (c *checker) excerpt(s *story) []string {
	lines := s.lines()
	slices.SortFunc(lines, func(a, b line) int { return cmp.Compare(a.seq, b.seq) })
	if len(lines) == 0 {
		return nil
	}
	from, to := lines[0].at, lines[len(lines)-1].at
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%12.6fs #%-9d %s", l.at.Seconds(), l.seq, l.text))
	}
	for _, f := range c.faults {
		if f.From <= to && from <= f.To+c.Slack {
			out = append(out, fmt.Sprintf("fault %s from %.3fs to %.3fs %s", f.Kind, f.From.Seconds(), f.To.Seconds(), f.Detail))
		}
	}
	if len(out) > maxLines {
		out = append(out[:maxLines], fmt.Sprintf("… and %d lines more", len(out)-maxLines))
	}
	return out
}

// lines are all events of a story.
func (s *story) lines() (lines []line) {
	add := func(at Stamp, format string, args ...any) {
		lines = append(lines, line{at.At, at.Seq, fmt.Sprintf(format, args...)})
	}
	for _, a := range s.attempts {
		add(a.Stamp, "asked %s %s marker %s key %q limit %v life %d", a.Door, a.Node, Text(a.Marker), a.Key, a.Limit, a.Life)
		for _, r := range a.replies {
			add(r.Stamp, "reply to #%d: %s", a.Seq, r.text())
		}
	}
	for _, f := range s.flights {
		for _, e := range f.published {
			add(e.Stamp, "published %v on %s conn %d life %d", e.ID, e.Topic, e.Conn, e.Life)
		}
		for _, e := range f.partial {
			add(e.Stamp, "published in part %v: %d of %d bytes, conn %d", e.ID, e.Got, e.Len, e.Conn)
		}
		for _, e := range f.altered {
			add(e.Stamp, "altered on its way %v", e.ID)
		}
		for _, e := range f.delivered {
			add(e.Stamp, "delivered %v", e.ID)
		}
		for _, e := range f.acked {
			add(e.Stamp, "acknowledged %v with %#02x", e.ID, e.Reason)
		}
		for _, e := range f.answers {
			add(e.Stamp, "answer %s", e.text())
		}
		for _, e := range f.told {
			add(e.Stamp, "told %v %s", e.ID, e.Outcome)
		}
	}
	return lines
}

var wayNames = [...]string{"", "whole", "ended", "left", "unreached", "silent", "other"}

// String returns the way's name.
func (w Way) String() string {
	if int(w) < len(wayNames) {
		return wayNames[w]
	}
	return fmt.Sprintf("way(%d)", uint8(w))
}

func (r *Replied) text() string {
	text := fmt.Sprintf("%v %#x %s data of %s after %v", r.Way, r.Status, r.Outcome, markerText(r.Marker), r.Elapsed)
	if r.RetrySafe != nil {
		text += fmt.Sprintf(" retrySafe %t", *r.RetrySafe)
	}
	return text + flags(r.Replayed, "replayed", r.InDoubt, "in doubt", r.Conflict, "conflict", r.Fallback, "fallback")
}

func (e *Answer) text() string {
	return fmt.Sprintf("%v on %s data of %s conn %d", e.ID, e.Topic, markerText(e.Marker), e.Conn) +
		flags(e.Error, "error", e.Extend, "extend", e.Empty, "empty", e.Malformed, "malformed", e.Stale, "stale", e.Tampered, "tampered")
}

// flags are the names of what is set, from pairs of a bool and a name.
func flags(pairs ...any) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i].(bool) {
			b.WriteString(", " + pairs[i+1].(string))
		}
	}
	return b.String()
}
