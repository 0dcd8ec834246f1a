package http

import (
	"bytes"
	"time"
)

// longestLimit bounds what a requester's limit is taken for. No node holds for so long.
const longestLimit = 24 * time.Hour

// limit is how long the requester's transaction may be held for him to get the reply before he
// gives up, whatever the node allows: what he says in "Prefer: wait=<seconds>" (RFC 7240 section
// 4.3) or "Request-Timeout: <ms>", less 5 %, at least 20 ms, for the way there and back. 0: he does
// not say. Where both are there the shorter one counts; of several waits the first.
func (h *head) limit() time.Duration {
	shortest := time.Duration(0)
	if len(h.requestTimeout) > 0 {
		shortest = shorter(shortest, h.requestTimeout, time.Millisecond)
	}
	if len(h.prefer) > 0 {
		shortest = shorter(shortest, preferredWait(h.prefer), time.Second)
	}
	if shortest == 0 {
		return 0
	}
	return max(time.Millisecond, shortest-max(20*time.Millisecond, shortest/20))
}

// shorter is the shorter one of limit and text, a number of units. 0 is no limit, and so is a text
// that is no such number.
func shorter(limit time.Duration, text []byte, unit time.Duration) time.Duration {
	n, ok := positive(text)
	if !ok {
		return limit
	}
	stated := time.Duration(min(n, int64(longestLimit/unit))) * unit
	if limit == 0 {
		return stated
	}
	return min(limit, stated)
}

// preferredWait finds the first wait in the Prefer fields.
func preferredWait(fields [][]byte) []byte {
	for _, field := range fields {
		for preference := range bytes.SplitSeq(field, []byte(",")) {
			preference, _, _ = bytes.Cut(preference, []byte(";")) // its parameters
			name, value, _ := bytes.Cut(preference, []byte("="))
			if is(bytes.Trim(name, " \t"), "wait") {
				value = bytes.Trim(value, " \t")
				if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
					value = value[1 : len(value)-1]
				}
				return value
			}
		}
	}
	return nil
}

// positive reads a decimal number above 0 of at most 12 digits.
func positive(text []byte) (n int64, ok bool) {
	if len(text) == 0 || len(text) > 12 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, n > 0
}
