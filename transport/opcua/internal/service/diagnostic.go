package service

import (
	"fmt"
	"strings"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
)

// diagnostic says in words how an operation ended: for integrators (OPC 10000-4, 7.12).
type diagnostic struct {
	word   string // the outcome, or conflictWord: the symbolic id
	detail string // for people: the localized text
	more   string // all of it in one line, with id and retrySafe: the additional info
}

// The limits of texts, in bytes.
const (
	maxDetail = 256
	maxInfo   = 1024
	maxInfos  = 1 << 20 // in one response: who comes after gets none
)

// conflictWord stands where an outcome would, if there was one.
const conflictWord = "idempotency_conflict"

// Where texts are from, and in which language.
const (
	infoNamespace = "https://github.com/flowsync-go/flowsync"
	infoLocale    = "en"
)

// diagnosticOf says how a transaction ended.
func (n *Node) diagnosticOf(r *core.Result) *diagnostic {
	d := &diagnostic{word: r.Outcome.String(), detail: r.Message}
	if r.Repeat == core.Conflict {
		d.word = conflictWord
	}
	if r.Outcome == core.Timeout && n.TimeoutMessage != "" {
		d.detail = n.TimeoutMessage
	}
	var facts []string
	if !r.ID.IsZero() {
		facts = append(facts, "id "+r.ID.String())
	}
	facts = append(facts, fmt.Sprintf("retrySafe %t", r.RetrySafe()))
	switch r.Repeat {
	case core.InDoubt:
		facts = append(facts, "inDoubt true")
	case core.Replayed:
		facts = append(facts, "replayed true")
	}
	facts = append(facts, fmt.Sprintf("elapsedMs %d", r.Elapsed.Milliseconds()))
	d.more = clip(fmt.Sprintf("%s (%s): %s", d.word, strings.Join(facts, ", "), d.detail), maxInfo)
	d.detail = clip(d.detail, maxDetail)
	return d
}

// clip cuts what is too long, and leaves nothing that is not UTF-8.
func clip(text string, most int) string {
	return strings.ToValidUTF8(text[:min(most, len(text))], "")
}

// The bits of what a client asks for, of one level (7.32).
const (
	asksWord   = ua.ServiceLevelSymbolicID
	asksDetail = ua.ServiceLevelLocalizedText
	asksMore   = ua.ServiceLevelAdditionalInfo
	asksAny    = asksWord | asksDetail | asksMore

	operationLevel = 5 // bits that those of operations are shifted by
)

// ofOperations and ofService are what a client asks for of each level.
func ofOperations(asked uint32) uint32 { return asked >> operationLevel & asksAny }
func ofService(asked uint32) uint32    { return asked & asksAny }

// infos writes diagnostic infos. Their strings, but for the additional info, stand in a table in the
// header of the response.
type infos struct {
	table  []string
	places map[string]uint32
	size   int // of all that was written, in bytes
}

// place is the index of a string in the table.
func (w *infos) place(text string) uint32 {
	if i, ok := w.places[text]; ok {
		return i
	}
	if w.places == nil {
		w.places = map[string]uint32{}
	}
	i := uint32(len(w.table))
	w.table, w.places[text] = append(w.table, text), i
	w.size += 4 + len(text)
	return i
}

// append appends what was asked for of d, an empty info if that is nothing. The fields are in the order of
// OPC 10000-6, 5.2.2.12.
func (w *infos) append(dst []byte, asked uint32, d *diagnostic) []byte {
	if d == nil || w.size > maxInfos {
		return append(dst, 0)
	}
	start := len(dst)
	dst = append(dst, 0)
	mask := byte(0)
	if asked&asksWord != 0 {
		mask |= ua.DiagnosticInfoSymbolicID | ua.DiagnosticInfoNamespaceURI
		dst = appendUint32(appendUint32(dst, w.place(d.word)), w.place(infoNamespace))
	}
	if asked&asksDetail != 0 && d.detail != "" {
		mask |= ua.DiagnosticInfoLocale | ua.DiagnosticInfoLocalizedText
		dst = appendUint32(appendUint32(dst, w.place(infoLocale)), w.place(d.detail))
	}
	if asked&asksMore != 0 {
		mask |= ua.DiagnosticInfoAdditionalInfo
		dst = appendString(dst, d.more)
	}
	dst[start] = mask
	w.size += len(dst) - start
	return dst
}

// operations writes the infos of all results; null if there is none.
func (w *infos) operations(asked uint32, results []result) []byte {
	some := false
	for i := range results {
		some = some || results[i].info != nil
	}
	if !some || asked == 0 {
		return appendUint32(nil, nullLength)
	}
	b := appendUint32(nil, uint32(len(results)))
	for i := range results {
		b = w.append(b, asked, results[i].info)
	}
	return b
}
