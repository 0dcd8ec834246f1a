package load

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Probe implements [Prober].
func (t *HTTP) Probe(ctx context.Context, timeout time.Duration) error {
	l := newHTTPLane(t)
	connecting, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if err := l.connect(connecting); err != nil {
		return fmt.Errorf("%s cannot be reached: %w", t.url, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // Ask says what became of it
	defer stop()
	v := l.Ask(probeSeq, time.Now().Add(timeout))
	err := l.refusal(v)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	_ = l.Close() // the connection has done what it was for
	return err
}

// refusal says why there is no point in asking on after that verdict; nil: there is.
func (l *httpLane) refusal(v Verdict) error {
	switch {
	case v.Outcome == Lost:
		return fmt.Errorf("the first request was not answered: %w", v.Err)
	case v.Wrong:
		return fmt.Errorf("the first answer is not what is expected: %w", v.Err)
	case v.Outcome == Answered || l.problem().Outcome != "" || l.success():
		return nil
	}
	return fmt.Errorf("the first request was refused: %d %s: %s", l.response.StatusCode(),
		http.StatusText(l.response.StatusCode()), l.reason())
}

// readable is a text from the network as a terminal may show it.
func readable(text string) string {
	text = shorten(text, maxExcerptSize)
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// reason is what the server says about a failure.
func (l *httpLane) reason() string {
	if p := l.problem(); p.Detail != "" || p.Title != "" {
		return readable(or(p.Detail, p.Title))
	}
	if body := l.response.Body(); len(body) > 0 {
		return fmt.Sprintf("%.200q", body)
	}
	return "it says no more"
}
