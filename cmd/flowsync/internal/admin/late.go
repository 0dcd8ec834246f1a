package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/flowsync-go/flowsync/core"
)

// lateReply is what /api/late gives.
type lateReply struct {
	Total   uint64      `json:"total"`   // answers that completed nothing, ever, but for foreign ones
	Kept    int         `json:"kept"`    // the latest of them, which were searched
	Answers []lateEntry `json:"answers"` // of these, those that were asked for, newest first
}

// lateEntry is a [StrayEntry] as programs read it.
type lateEntry struct {
	Time       string   `json:"time"` // RFC 3339, UTC, with milliseconds
	Node       string   `json:"node"`
	Kind       string   `json:"kind"`
	ID         string   `json:"id,omitempty"`
	Outcome    string   `json:"outcome,omitempty"`    // of its transaction; late and duplicate only
	LatenessMs *float64 `json:"latenessMs,omitempty"` // likewise
	Payload    string   `json:"payload"`              // its beginning
	Bytes      int      `json:"payloadBytes"`         // how long the payload was
	Detail     string   `json:"detail,omitempty"`
}

// milliTime is RFC 3339 with milliseconds.
const milliTime = "2006-01-02T15:04:05.000Z07:00"

func (e *StrayEntry) late() lateEntry {
	entry := lateEntry{
		Time: e.Time.UTC().Format(milliTime), Node: label(e.Node), Kind: e.Kind.String(),
		Payload: e.Payload, Bytes: e.Bytes, Detail: e.Detail,
	}
	if !e.ID.IsZero() {
		entry.ID = e.ID.String()
	}
	if e.Kind == core.Late || e.Kind == core.Duplicate {
		lateness := float64(e.Lateness.Microseconds()) / 1000
		entry.Outcome, entry.LatenessMs = e.Outcome.String(), &lateness
	}
	return entry
}

// late answers /api/late: the latest answers that completed nothing, of ?node= and ?kind= if these
// are given.
func (s *Server) late(w http.ResponseWriter, r *http.Request) {
	node, kind, err := s.lateFilter(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply := lateReply{Answers: []lateEntry{}}
	var entries []StrayEntry
	if s.options.Recent != nil {
		entries, reply.Total = s.options.Recent.Latest()
	}
	reply.Kept = len(entries)
	for i := range entries {
		if e := &entries[i]; (node == "" || e.Node == node) && (kind == "" || e.Kind.String() == kind) {
			reply.Answers = append(reply.Answers, e.late())
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(reply) // an error is the requester's, who is gone
}

// lateFilter reads the query. What is misspelt is an error: to a program it would look as if there
// were no such answers.
func (s *Server) lateFilter(query string) (node, kind string, err error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", "", fmt.Errorf("the query cannot be read: %w", err)
	}
	for name, given := range values {
		switch {
		case name != "node" && name != "kind":
			return "", "", fmt.Errorf("unknown parameter %.80q: want node or kind", name)
		case len(given) != 1 || given[0] == "":
			return "", "", fmt.Errorf("%s: give it once, with a value", name)
		}
	}
	node, kind = values.Get("node"), values.Get("kind")
	if node != "" && !slices.ContainsFunc(s.options.Engine.Nodes(), func(n *core.Node) bool { return n.Name() == node }) {
		return "", "", fmt.Errorf("there is no node %.80q", node)
	}
	if kinds := keptKinds(); kind != "" && !slices.Contains(kinds, kind) {
		return "", "", fmt.Errorf("there is no kind %.80q of these answers: want %s", kind, strings.Join(kinds, ", "))
	}
	return node, kind, nil
}

// keptKinds are the names of the kinds that [Recent] keeps.
func keptKinds() []string {
	var kinds []string
	for _, k := range core.AnswerKinds() {
		if kept(k) {
			kinds = append(kinds, k.String())
		}
	}
	return kinds
}
