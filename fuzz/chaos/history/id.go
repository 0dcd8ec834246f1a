package history

import (
	"bytes"
	"encoding/hex"
)

const idTextLen = 36 // RFC 9562 section 4

// IsZero says whether there is no id.
func (id ID) IsZero() bool { return id == ID{} }

// String is the UUID's text.
func (id ID) String() string {
	h := hex.EncodeToString(id[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// ParseID reads the text of a UUID.
func ParseID(text string) (id ID, ok bool) {
	if len(text) != idTextLen || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return ID{}, false
	}
	raw, err := hex.DecodeString(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
	if err != nil {
		return ID{}, false
	}
	return ID(raw), true
}

// IDIn finds the id in a request's message, {"id":"…" first; also where the end is missing.
func IDIn(message []byte) (id ID, ok bool) {
	const before = `"id":"`
	at := bytes.Index(message, []byte(before))
	if at < 0 || len(message) < at+len(before)+idTextLen {
		return ID{}, false
	}
	return ParseID(string(message[at+len(before):][:idTextLen]))
}
