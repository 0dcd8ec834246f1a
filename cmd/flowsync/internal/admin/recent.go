package admin

import (
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/flowsync-go/flowsync/core"
)

const (
	maxRecent  = 256 // strays that are kept
	maxPayload = 256 // bytes of each one's payload
)

// StrayEntry is an answer that completed nothing, as it is kept.
type StrayEntry struct {
	Time     time.Time
	Node     string
	Kind     core.AnswerKind
	ID       core.ID // zero if it had none
	Outcome  core.Outcome
	Lateness time.Duration // how long after the end of its transaction; late and duplicate only
	Payload  string        // its beginning, valid UTF-8
	Bytes    int           // how long the payload was
	Detail   string        // what is wrong with a malformed one
}

// Recent keeps the latest answers that completed nothing, but for those that were meant for
// another gateway or prolonged a transaction. It implements [core.Observer]. The zero value is ready.
type Recent struct {
	mu    sync.Mutex // guards all below; a leaf
	ring  [maxRecent]StrayEntry
	count uint64 // entries so far
}

// Ended implements [core.Observer].
func (*Recent) Ended(*core.Node, core.Result) {}

// Stray implements [core.Observer].
func (r *Recent) Stray(node *core.Node, s *core.Stray) {
	if !kept(s.Kind) {
		return
	}
	entry := StrayEntry{
		Time: time.Now(), Node: node.Name(), Kind: s.Kind, ID: s.ID, Outcome: s.Outcome, Lateness: s.Lateness,
		Payload: beginning(s.Payload), Bytes: len(s.Payload),
	}
	if s.Err != nil {
		entry.Detail = beginning([]byte(s.Err.Error()))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring[r.count%maxRecent] = entry
	r.count++
}

// Latest returns what is kept, the newest first, and how many there were in all.
func (r *Recent) Latest() (entries []StrayEntry, total uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range min(r.count, maxRecent) {
		entries = append(entries, r.ring[(r.count-1-i)%maxRecent])
	}
	return entries, r.count
}

// kept says whether answers of a kind are trouble that somebody may look for.
func kept(k core.AnswerKind) bool {
	return k != core.Matched && k != core.Foreign && k != core.Extended
}

// beginning returns the first bytes of a text as valid UTF-8; a rune that would be cut is left out.
func beginning(text []byte) string {
	valid := strings.ToValidUTF8(string(text[:min(len(text), maxPayload+utf8.UTFMax)]), "\ufffd")
	end := min(len(valid), maxPayload)
	for end < len(valid) && !utf8.RuneStart(valid[end]) {
		end--
	}
	return valid[:end]
}
