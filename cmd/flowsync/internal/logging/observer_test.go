package logging

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// nowhere is a bus that nothing is published on.
type nowhere struct{}

func (nowhere) Publish(*core.Request) error { return core.ErrNotSent }

func nodes(t testing.TB, names ...string) []*core.Node {
	engine, err := core.New(nowhere{}, core.Options{})
	require.NoError(t, err)
	for _, name := range names {
		_, err := engine.AddNode(core.NodeOptions{Name: name, Topic: "t/" + name})
		require.NoError(t, err)
	}
	require.NoError(t, engine.Close())
	return engine.Nodes()
}

// page is a log that can be read while it is written.
type page struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *page) lines(t *testing.T) (lines []map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for text := range strings.Lines(p.buf.String()) {
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &line))
		delete(line, "time")
		lines = append(lines, line)
	}
	return lines
}

func observe(t testing.TB, out io.Writer, level string, which Transactions) *Observer {
	logger, err := New(out, JSON, level)
	require.NoError(t, err)
	return NewObserver(logger, which)
}

var someID = core.ID{1, 2, 3}

func TestLines(t *testing.T) {
	node := nodes(t, "order")[0]
	for _, c := range []struct {
		name string
		call func(*Observer)
		want map[string]any
	}{
		{"timeout", func(o *Observer) {
			o.Ended(node, core.Result{ID: someID, Outcome: core.Timeout, Elapsed: 2000123 * time.Microsecond, Sent: true, Message: "no answer came in time"})
		}, map[string]any{"level": "WARN", "msg": "transaction ended", "node": "order", "outcome": "timeout", "id": someID.String(), "elapsedMs": 2000.123, "sent": true, "retrySafe": false, "detail": "no answer came in time"}},
		{"refused", func(o *Observer) {
			o.Ended(node, core.Result{Outcome: core.Shed})
		}, map[string]any{"level": "WARN", "msg": "transaction ended", "node": "order", "outcome": "shed", "elapsedMs": 0.0, "sent": false, "retrySafe": true}},
		{"responder's number", func(o *Observer) {
			o.Ended(node, core.Result{Outcome: core.ResponderError, Code: 409, Message: strings.Repeat("x", 9999)})
		}, map[string]any{"level": "WARN", "msg": "transaction ended", "node": "order", "outcome": "responder_error", "elapsedMs": 0.0, "sent": false, "retrySafe": false, "code": 409.0, "detail": strings.Repeat("x", maxExcerpt)}},
		{"responder's name", func(o *Observer) {
			o.Ended(node, core.Result{Outcome: core.ResponderError, CodeName: "BadOutOfRange"})
		}, map[string]any{"level": "WARN", "msg": "transaction ended", "node": "order", "outcome": "responder_error", "elapsedMs": 0.0, "sent": false, "retrySafe": false, "code": "BadOutOfRange"}},
		{"answered", func(o *Observer) {
			o.Ended(node, core.Result{ID: someID, Outcome: core.Answered, Value: []byte("7"), Elapsed: time.Millisecond, Sent: true})
		}, map[string]any{"level": "DEBUG", "msg": "transaction ended", "node": "order", "outcome": "answered", "id": someID.String(), "elapsedMs": 1.0, "sent": true, "retrySafe": false}},
		{"late", func(o *Observer) {
			o.Stray(node, &core.Stray{Kind: core.Late, ID: someID, Outcome: core.Timeout, Lateness: 1500 * time.Millisecond, Payload: []byte("{}")})
		}, map[string]any{"level": "WARN", "msg": "answer completed nothing", "node": "order", "kind": "late", "id": someID.String(), "outcome": "timeout", "latenessMs": 1500.0, "payload": "{}", "payloadBytes": 2.0}},
		{"malformed", func(o *Observer) {
			o.Stray(node, &core.Stray{Kind: core.Malformed, Payload: []byte("\xff\n"), Err: errors.New("no\nJSON")})
		}, map[string]any{"level": "WARN", "msg": "answer completed nothing", "node": "order", "kind": "malformed", "detail": `"no\nJSON"`, "payload": `"\xff\n"`, "payloadBytes": 2.0}},
		{"dropped by a rule, unsent", func(o *Observer) {
			o.Ended(node, core.Result{Outcome: core.RuleFailed})
		}, map[string]any{"level": "WARN", "msg": "transaction ended", "node": "order", "outcome": "rule_failed", "elapsedMs": 0.0, "sent": false, "retrySafe": true}},
		{"extended", func(o *Observer) {
			o.Stray(node, &core.Stray{Kind: core.Extended, ID: someID, Added: 1500 * time.Millisecond, Payload: []byte("{}")})
		}, map[string]any{"level": "DEBUG", "msg": "transaction prolonged", "node": "order", "kind": "extended", "id": someID.String(), "addedMs": 1500.0, "payload": "{}", "payloadBytes": 2.0}},
		{"foreign", func(o *Observer) {
			o.Stray(node, &core.Stray{Kind: core.Foreign, ID: someID})
		}, map[string]any{"level": "DEBUG", "msg": "answer completed nothing", "node": "order", "kind": "foreign", "id": someID.String(), "payload": "", "payloadBytes": 0.0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out page
			o := observe(t, &out, "debug", All)
			c.call(o)
			require.NoError(t, o.Close())
			assert.Equal(t, []map[string]any{c.want}, out.lines(t))
		})
	}
}

func TestWhichAreWritten(t *testing.T) {
	node := nodes(t, "order")[0]
	for _, c := range []struct {
		level string
		which Transactions
		want  []string
	}{
		{"debug", None, nil},
		{"debug", Failed, []string{"timeout", "late", "foreign"}},
		{"debug", All, []string{"answered", "timeout", "late", "foreign"}},
		{"info", All, []string{"timeout", "late"}},
		{"error", All, nil},
	} {
		var out page
		o := observe(t, &out, c.level, c.which)
		o.Ended(node, core.Result{Outcome: core.Answered})
		o.Ended(node, core.Result{Outcome: core.Timeout})
		o.Stray(node, &core.Stray{Kind: core.Late})
		o.Stray(node, &core.Stray{Kind: core.Foreign})
		require.NoError(t, o.Close())
		var got []string
		for _, line := range out.lines(t) {
			if line["kind"] != nil {
				got = append(got, line["kind"].(string))
			} else {
				got = append(got, line["outcome"].(string))
			}
		}
		assert.Equal(t, c.want, got, "%s, %s", c.level, c.which)
	}
}

func TestTenASecondThenASummary(t *testing.T) {
	pair := nodes(t, "a", "b")
	synctest.Test(t, func(t *testing.T) {
		var out page
		o := observe(t, &out, "warn", Failed)
		flood := func() {
			for range 25 {
				o.Ended(pair[0], core.Result{Outcome: core.Timeout})
			}
			o.Ended(pair[0], core.Result{Outcome: core.Shed}) // another kind has its own count
			o.Ended(pair[1], core.Result{Outcome: core.Timeout})
			o.Stray(pair[0], &core.Stray{Kind: core.Late})
		}
		flood()
		synctest.Wait()
		assert.Len(t, out.lines(t), perSecond+3)

		time.Sleep(999 * time.Millisecond) // invented time
		synctest.Wait()
		assert.Len(t, out.lines(t), perSecond+3, "the second is not over")

		time.Sleep(time.Millisecond) // no further event is needed for the summary
		synctest.Wait()
		lines := out.lines(t)
		require.Len(t, lines, perSecond+4)
		assert.Equal(t, map[string]any{"level": "WARN", "msg": "more of the same suppressed", "node": "a", "outcome": "timeout", "suppressed": 15.0}, lines[perSecond+3])

		flood()
		require.NoError(t, o.Close())
		assert.Len(t, out.lines(t), 2*(perSecond+4), "Close sums up what is not over")
		assert.NoError(t, o.Close())
	})
}

func TestSummaryOfStraysNamesTheKind(t *testing.T) {
	node := nodes(t, "a")[0]
	var out page
	o := observe(t, &out, "debug", Failed)
	for range 2 * perSecond { // even if a second ends meanwhile, one of the two has to sum up
		for range perSecond {
			o.Stray(node, &core.Stray{Kind: core.Foreign})
		}
	}
	require.NoError(t, o.Close())
	lines := out.lines(t)
	last := lines[len(lines)-1]
	assert.Equal(t, "foreign", last["kind"])
	assert.Equal(t, "DEBUG", last["level"])
	assert.Positive(t, last["suppressed"])
}

// stalled is a log whose reader does not read until it is opened.
type stalled struct {
	page
	begun chan struct{} // closed at the first write
	once  sync.Once
	open  chan struct{}
}

func (s *stalled) Write(b []byte) (int, error) {
	s.once.Do(func() { close(s.begun) })
	<-s.open
	return s.page.Write(b)
}

func TestStalledLogBlocksNobodyAndLosesNoCount(t *testing.T) {
	const each, count = perSecond, 2 * queueLines / perSecond
	names := make([]string, count)
	for i := range names {
		names[i] = "n" + string(rune('0'+i%10)) + strings.Repeat("x", i/10)
	}
	all := nodes(t, names...)
	out := &stalled{begun: make(chan struct{}), open: make(chan struct{})}
	o := observe(t, out, "warn", Failed)
	for _, node := range all {
		for range each {
			o.Ended(node, core.Result{Outcome: core.Timeout}) // would hang here
		}
	}
	<-out.begun
	close(out.open)
	require.NoError(t, o.Close())
	written, suppressed := 0, 0
	for _, line := range out.lines(t) {
		if n, ok := line["suppressed"]; ok {
			suppressed += int(n.(float64))
		} else {
			written++
		}
	}
	assert.Positive(t, suppressed)
	assert.Equal(t, each*count, written+suppressed)
}

func TestManyAtOnce(t *testing.T) {
	node := nodes(t, "a")[0]
	var out page
	o := observe(t, &out, "warn", Failed)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				o.Ended(node, core.Result{Outcome: core.Shed})
			}
		})
	}
	wg.Wait()
	require.NoError(t, o.Close())
	total := 0.0
	for _, line := range out.lines(t) {
		if n, ok := line["suppressed"]; ok {
			total += n.(float64)
		} else {
			total++
		}
	}
	assert.Equal(t, 8*500.0, total)
}

func TestSuppressedAndAnsweredAllocateNothing(t *testing.T) {
	node := nodes(t, "a")[0]
	o := observe(t, io.Discard, "warn", Failed)
	defer o.Close()
	for range perSecond {
		o.Ended(node, core.Result{Outcome: core.Timeout})
	}
	w := o.window(node, kindOfEnd(core.Answered))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		o.Ended(node, core.Result{Outcome: core.Answered})
		w.admit(1)
	}))
}

func BenchmarkAnswered(b *testing.B) {
	node := nodes(b, "a")[0]
	o := observe(b, io.Discard, "info", Failed)
	defer o.Close()
	for b.Loop() {
		o.Ended(node, core.Result{Outcome: core.Answered})
	}
}

func BenchmarkSuppressed(b *testing.B) {
	node := nodes(b, "a")[0]
	o := NewObserver(slog.New(slog.NewJSONHandler(io.Discard, nil)), Failed)
	defer o.Close()
	for b.Loop() {
		o.Ended(node, core.Result{Outcome: core.Timeout})
	}
}
