package http

import (
	"bytes"
	"time"
)

// timeout is how long the requester wants to wait at most, if that is shorter than the node's
// timeout: "Prefer: wait=<seconds>" (RFC 7240 section 4.3) or "Request-Timeout: <ms>". 0: the
// node's. Where both are there the shorter one counts; of several waits the first.
func (h *head) timeout(node time.Duration) time.Duration {
	shortest := node
	if len(h.requestTimeout) > 0 {
		if ms, ok := positive(h.requestTimeout); ok && ms < shortest.Milliseconds()+1 {
			shortest = min(shortest, time.Duration(ms)*time.Millisecond)
		}
	}
	if len(h.prefer) > 0 {
		if s, ok := preferredWait(h.prefer); ok && s <= int64(shortest/time.Second) {
			shortest = min(shortest, time.Duration(s)*time.Second)
		}
	}
	if shortest == node {
		return 0
	}
	return shortest
}

// preferredWait finds the first wait in the Prefer fields.
func preferredWait(fields [][]byte) (seconds int64, ok bool) {
	for _, field := range fields {
		for preference := range bytes.SplitSeq(field, []byte(",")) {
			preference, _, _ = bytes.Cut(preference, []byte(";")) // its parameters
			name, value, _ := bytes.Cut(preference, []byte("="))
			if is(bytes.Trim(name, " \t"), "wait") {
				value = bytes.Trim(value, " \t")
				if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
					value = value[1 : len(value)-1]
				}
				return positive(value)
			}
		}
	}
	return 0, false
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
