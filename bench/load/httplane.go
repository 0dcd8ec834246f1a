package load

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"
)

// maxIdle is how long a connection may have been idle to be asked over. Servers close idle ones
// (flowsync after 60 s), and a request that meets the closing is lost without anybody's fault.
const maxIdle = 30 * time.Second

// maxAnswer bounds what is read of an answer, in bytes. An echo may be written in other words than
// what was asked with, which makes it longer, but not without end: many lanes keep as much at a time.
const (
	maxAnswer     = 8 << 20
	maxEchoGrowth = 8
	maxOverhead   = 64 << 10
)

func (t *HTTP) maxAnswer() int {
	if t.expect.kind == echo {
		return min(maxAnswer, maxOverhead+maxEchoGrowth*t.payload)
	}
	return maxAnswer
}

// httpLane is one connection. It asks only when the answer before is there.
type httpLane struct {
	target *HTTP

	mu     sync.Mutex // guards conn and closed: Close comes from elsewhere
	conn   net.Conn   // nil: to be made
	closed bool

	reader     *bufio.Reader
	request    fasthttp.Request
	response   fasthttp.Response
	body       []byte // of the request
	before     []byte // of the request before on this connection
	beforeSeq  uint64 // 0: there was none
	uri        []byte
	used       time.Time
	reconnects int
}

// writers are shared: they are needed for as long as a request is written.
var writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4096) }}

var errClosed = errors.New("the lane is closed")

func newHTTPLane(t *HTTP) *httpLane {
	l := &httpLane{target: t, reader: bufio.NewReaderSize(nil, 4096)}
	t.header.CopyTo(&l.request.Header)
	return l
}

// connect makes the connection.
func (l *httpLane) connect(ctx context.Context) error {
	conn, err := l.target.dialer.DialContext(ctx, "tcp", l.target.address)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("%w: this machine has no local port left for another connection to one address: ask for fewer, or widen net.ipv4.ip_local_port_range", err)
	}
	if err != nil {
		return err
	}
	if l.target.tls != nil {
		secure := tls.Client(conn, l.target.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return errors.Join(fmt.Errorf("TLS with %s: %w", l.target.address, err), conn.Close())
		}
		conn = secure
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return errors.Join(errClosed, conn.Close())
	}
	l.conn = conn
	l.reader.Reset(conn)
	l.beforeSeq = 0
	l.used = time.Now()
	return nil
}

// Ask implements [Lane].
func (l *httpLane) Ask(seq uint64, deadline time.Time) (v Verdict) {
	if l.conn != nil && l.reader.Buffered() > 0 {
		v.Duplicates++ // what follows an answer is another one
		l.drop()
	}
	if err := l.ready(deadline); err != nil {
		return l.lost(v, err)
	}
	if err := l.send(seq); err != nil {
		return l.lost(v, fmt.Errorf("writing: %w", err))
	}
	for {
		if err := l.response.ReadLimitBody(l.reader, l.target.maxAnswer()); err != nil {
			return l.lost(v, unanswered(err))
		}
		v.Outcome, v.Wrong, v.Err = l.judge(seq)
		if !v.Wrong || !l.isBefore() {
			break
		}
		v.Duplicates++
	}
	l.used = time.Now()
	l.before, l.body, l.beforeSeq = l.body, l.before, seq
	if v.Wrong || l.response.ConnectionClose() {
		l.drop() // whose answers come over it, is not to be trusted any more
	}
	return v
}

func unanswered(err error) error {
	if errors.Is(err, fasthttp.ErrTimeout) || errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("no answer in time")
	}
	return fmt.Errorf("no answer: %w", err)
}

// ready sees to it that there is a connection, and sets its deadline.
func (l *httpLane) ready(deadline time.Time) error {
	if l.conn != nil && time.Since(l.used) > maxIdle {
		l.drop()
	}
	if l.conn == nil {
		l.reconnects++
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		if err := l.connect(ctx); err != nil {
			return fmt.Errorf("connecting again: %w", err)
		}
	}
	return l.conn.SetDeadline(deadline)
}

func (l *httpLane) send(seq uint64) error {
	l.uri = l.target.uri.append(l.uri[:0], seq)
	l.request.Header.SetRequestURIBytes(l.uri)
	l.body = l.body[:0]
	if len(l.target.body.parts) > 0 {
		l.body = l.target.body.append(l.body, seq)
	}
	l.request.SetBodyRaw(l.body)
	w := writers.Get().(*bufio.Writer)
	defer writers.Put(w)
	w.Reset(l.conn)
	defer w.Reset(nil)
	if err := l.request.Write(w); err != nil {
		return err
	}
	return w.Flush()
}

// isBefore says whether what was read is the answer of the request before, once more.
func (l *httpLane) isBefore() bool {
	e := &l.target.expect
	return l.beforeSeq != 0 && e.checks() && e.judge(l.beforeSeq, l.before, l.answer()) == nil
}

func (l *httpLane) success() bool {
	status := l.response.StatusCode()
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}

// judge says what the answer is.
func (l *httpLane) judge(seq uint64) (outcome string, wrong bool, err error) {
	if l.success() {
		if real := string(l.response.Header.Peek("Flowsync-Outcome")); foreign(real) {
			return real, false, nil // a substitute, said to be one
		}
		err = l.target.expect.judge(seq, l.body, l.answer())
		return Answered, err != nil, err
	}
	if word := l.problem().Outcome; foreign(word) {
		return word, false, nil
	}
	return fmt.Sprintf("http %d", l.response.StatusCode()), false, nil
}

// foreign says whether a word may be what a gateway calls a failure. The words that only the
// generator can say would let a server pass its answers by; and what is no word at all is not shown.
func foreign(word string) bool {
	switch word {
	case "", Answered, Lost, Wrong, otherOutcomes:
		return false
	}
	return !strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r > '~' })
}

// answer is the value that was answered with.
func (l *httpLane) answer() []byte {
	if l.response.StatusCode() == http.StatusNoContent {
		return []byte("null")
	}
	return l.response.Body()
}

// problem is the document of a failure (RFC 9457), as far as it is one.
type problem struct {
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	Outcome string `json:"outcome"`
}

func (l *httpLane) problem() (p problem) {
	if string(l.response.Header.ContentType()) == "application/problem+json" {
		_ = json.Unmarshal(l.response.Body(), &p) // what cannot be read has no outcome
	}
	return p
}

func (l *httpLane) lost(v Verdict, err error) Verdict {
	l.drop()
	v.Outcome, v.Wrong, v.Err = Lost, false, err
	return v
}

// Stragglers implements [Listener].
func (l *httpLane) Stragglers(deadline time.Time) int {
	if l.conn == nil || l.beforeSeq == 0 || l.conn.SetReadDeadline(deadline) != nil {
		return 0
	}
	if err := l.response.ReadLimitBody(l.reader, l.target.maxAnswer()); err != nil {
		return 0 // as a rule nothing comes
	}
	if outcome, _, _ := l.judge(l.beforeSeq); strings.HasPrefix(outcome, "http ") {
		return 0 // a server that closes may say that nobody asked for long (408)
	}
	return 1
}

// drop closes the connection; the next request makes another.
func (l *httpLane) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		_ = l.conn.Close() // it is given up
		l.conn = nil
	}
}

// Close implements [Lane].
func (l *httpLane) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Reconnects implements [Reconnecter].
func (l *httpLane) Reconnects() int { return l.reconnects }
