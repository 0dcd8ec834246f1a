package history

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// MarshalText makes an id readable in JSON.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// entry is a line of a dump.
type entry struct {
	seq   uint64
	Event string `json:"event"`
	Data  any    `json:"data"`
}

// Dump writes violations and what has to do with them as JSON lines: each violation, followed by
// the events of its requests in their order; then gateways, counters, faults and cuts. Not more
// than limit lines; the last one says if there were more.
func Dump(w io.Writer, h *History, o Options, violations []Violation, limit int) error {
	x := newIndex(h, o.Nodes)
	d := dump{to: json.NewEncoder(w), left: limit}
	for _, v := range violations {
		d.write(entry{Event: "violation", Data: v})
		for _, m := range v.Markers {
			if s := x.stories[m]; s != nil {
				d.all(s.entries())
			}
		}
	}
	var rest []entry
	h.lives.each(func(e *Life) { rest = append(rest, entry{e.Seq, "life", e}) })
	h.ends.each(func(e *LifeEnded) { rest = append(rest, entry{e.Seq, "life ended", e}) })
	h.counters.each(func(e *Counters) { rest = append(rest, entry{e.Seq, "counters", e}) })
	h.faults.each(func(e *Fault) { rest = append(rest, entry{e.Seq, "fault", e}) })
	h.cuts.each(func(e *Cut) { rest = append(rest, entry{e.Seq, "cut", e}) })
	d.all(rest)
	if d.left < 0 && d.err == nil {
		d.err = d.to.Encode(entry{Event: "end", Data: fmt.Sprintf("%d lines more", -d.left)})
	}
	return d.err
}

// dump writes lines until there is no room left or one failed.
type dump struct {
	to   *json.Encoder
	left int
	err  error
}

func (d *dump) write(e entry) {
	if d.left--; d.left >= 0 && d.err == nil {
		d.err = d.to.Encode(e)
	}
}

func (d *dump) all(entries []entry) {
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.seq, b.seq) })
	for _, e := range entries {
		d.write(e)
	}
}

// entries are all events of a story.
func (s *story) entries() (all []entry) {
	for _, a := range s.attempts {
		all = append(all, entry{a.Seq, "asked", a.Asked})
		for _, r := range a.replies {
			all = append(all, entry{r.Seq, "replied", r})
		}
	}
	for _, f := range s.flights {
		for _, e := range f.published {
			all = append(all, entry{e.Seq, "published", e})
		}
		for _, e := range f.partial {
			all = append(all, entry{e.Seq, "partial", e})
		}
		for _, e := range f.altered {
			all = append(all, entry{e.Seq, "altered", e})
		}
		for _, e := range f.acked {
			all = append(all, entry{e.Seq, "acked", e})
		}
		for _, e := range f.delivered {
			all = append(all, entry{e.Seq, "delivered", e})
		}
		for _, e := range f.answers {
			all = append(all, entry{e.Seq, "answer", e})
		}
		for _, e := range f.told {
			all = append(all, entry{e.Seq, "told", e})
		}
	}
	return all
}
