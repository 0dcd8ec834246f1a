package history

import (
	"bytes"
	"encoding/hex"
	"strconv"
)

// Mixed is what [MarkerIn] returns for text that carries several different markers.
const Mixed = ^uint64(0)

const (
	markerPrefix = "mk-"
	markerLen    = len(markerPrefix) + 16 + 1
)

// Text is a marker as it travels: "mk-", 16 hex digits, and a check digit.
func Text(marker uint64) string { return string(AppendText(nil, marker)) }

// AppendText appends a marker as it travels.
func AppendText(dst []byte, marker uint64) []byte {
	dst = append(dst, markerPrefix...)
	from := len(dst)
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, "0123456789abcdef"[marker>>shift&15])
	}
	return append(dst, check(dst[from:]))
}

// check is a letter that any change of one digit, or a swap, changes.
func check(digits []byte) byte {
	sum := 0
	for i, d := range digits {
		sum += (i + 1) * int(d)
	}
	return 'g' + byte(sum%17)
}

// AppendValue appends a JSON object that carries the marker at both ends with pad bytes between,
// so that a torn value shows.
func AppendValue(dst []byte, marker uint64, pad int) []byte {
	dst = append(dst, `{"marker":"`...)
	dst = AppendText(dst, marker)
	dst = append(dst, `","pad":"`...)
	dst = append(dst, bytes.Repeat([]byte{'.'}, pad)...)
	dst = append(dst, `","again":"`...)
	dst = AppendText(dst, marker)
	return append(dst, `"}`...)
}

// MarkerIn finds the marker that a text carries, anywhere in it: 0 if none, [Mixed] if several
// that differ.
func MarkerIn(text []byte) uint64 {
	var found uint64
	for {
		at := bytes.Index(text, []byte(markerPrefix))
		if at < 0 || len(text) < at+markerLen {
			return found
		}
		digits := text[at+len(markerPrefix) : at+markerLen-1]
		var raw [8]byte
		_, err := hex.Decode(raw[:], digits)
		if err == nil && text[at+markerLen-1] == check(digits) {
			m, _ := strconv.ParseUint(string(digits), 16, 64)
			if found != 0 && found != m {
				return Mixed
			}
			found = m
		}
		text = text[at+len(markerPrefix):]
	}
}
