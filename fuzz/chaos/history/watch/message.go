package watch

import (
	"encoding/json"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// message is what is read of a message: encoding/json is slower than the gateway's scanner, and
// nothing that the gateway uses.
type message struct {
	ID      *json.RawMessage `json:"id"`
	Value   json.RawMessage  `json:"value"`
	Error   json.RawMessage  `json:"error"`
	Extend  json.RawMessage  `json:"extend"`
	Outcome string           `json:"outcome"`
	bad     bool
}

func read(payload []byte) (m message) {
	m.bad = json.Unmarshal(payload, &m) != nil
	return m
}

// id is the id in the payload, zero if there is none that could be ours.
func (m *message) id() history.ID {
	var text string
	if m.ID == nil || json.Unmarshal(*m.ID, &text) != nil {
		return history.ID{}
	}
	id, _ := history.ParseID(text)
	return id
}

// correlate finds the id that an answer is for: the payload's, else the correlation data. bad: it
// has none, both disagree, or it is no JSON object.
func (m *message) correlate(data []byte) (id history.ID, bad bool) {
	switch {
	case m.bad:
		return id, true
	case m.ID == nil:
		if len(data) != len(id) {
			return id, true
		}
		return history.ID(data), false
	}
	id = m.id()
	return id, len(data) > 0 && string(data) != string(id[:])
}
