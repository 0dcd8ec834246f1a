package http_test

import (
	"bytes"
	"io"
	nethttp "net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// limitModel is what the requester allows: the shorter of Request-Timeout and the first wait in
// Prefer, less 5 %, at least 20 ms, and at least 1 ms of it.
func limitModel(h nethttp.Header) time.Duration {
	var limits []time.Duration
	if all := h["Request-Timeout"]; len(all) > 0 {
		if ms, ok := numberModel(all[len(all)-1]); ok {
			limits = append(limits, time.Duration(min(ms, 86_400_000))*time.Millisecond)
		}
	}
	if s, ok := numberModel(firstWait(h["Prefer"])); ok {
		limits = append(limits, time.Duration(min(s, 86_400))*time.Second)
	}
	if len(limits) == 0 {
		return 0
	}
	shortest := limits[0]
	for _, other := range limits {
		shortest = min(shortest, other)
	}
	return max(time.Millisecond, shortest-max(20*time.Millisecond, shortest/20))
}

func firstWait(fields []string) string {
	for preference := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		preference, _, _ = strings.Cut(preference, ";")
		name, value, _ := strings.Cut(preference, "=")
		if strings.EqualFold(strings.Trim(name, " \t"), "wait") {
			value = strings.Trim(value, " \t")
			if len(value) > 1 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`) {
				value = value[1 : len(value)-1]
			}
			return value
		}
	}
	return ""
}

var digits = regexp.MustCompile(`^[0-9]{1,12}$`)

func numberModel(text string) (int64, bool) {
	if !digits.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0
}

var (
	bareKey   = regexp.MustCompile(`^[!#-+\--~]{1,255}$`)
	quotedKey = regexp.MustCompile(`^"(?:[ !#-\[\]-~]|\\["\\])*"$`)
	escape    = regexp.MustCompile(`\\(.)`)
)

// keyModel reads Idempotency-Key. False: it is wrong.
func keyModel(fields []string) (key string, ok bool) {
	switch {
	case len(fields) == 0:
		return "", true
	case len(fields) > 1:
		return "", false
	case bareKey.MatchString(fields[0]):
		return fields[0], true
	case quotedKey.MatchString(fields[0]):
		key = escape.ReplaceAllString(fields[0][1:len(fields[0])-1], "$1")
		return key, 1 <= len(key) && len(key) <= 255
	}
	return "", false
}

// exchangePieces is exchange, where at most so many bytes come at once; 0: all that there are.
func (l *memoryListener) exchangePieces(t testing.TB, raw []byte, size int) []byte {
	if size == 0 {
		return l.exchange(t, raw)
	}
	c := &memoryConn{in: bytes.NewReader(raw), closed: make(chan struct{})}
	l.conns <- &piecewise{c, size}
	select {
	case <-c.closed:
	case <-time.After(patience):
		t.Fatal("the connection does not end")
	}
	return c.out.Bytes()
}

// piecewise reads so many bytes at once.
type piecewise struct {
	*memoryConn
	size int
}

func (c *piecewise) Read(p []byte) (int, error) {
	return io.LimitReader(c.in, int64(c.size)).Read(p)
}
