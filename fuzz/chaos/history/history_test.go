package history

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// What is done after an event was recorded gets a later number, whoever does it.
func TestOrder(t *testing.T) {
	h := New(0)
	const each = 5000
	passed := make(chan uint64)
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(passed)
		for i := range each {
			passed <- h.Asked(Asked{Marker: uint64(i) + 1})
		}
	})
	wg.Go(func() {
		for ask := range passed {
			h.Replied(Replied{Ask: ask, Way: Left})
		}
	})
	for range 3 {
		wg.Go(func() {
			for range each {
				h.Answer(Answer{ID: id(1)})
			}
		})
	}
	wg.Wait()
	require.Equal(t, 5*each, h.Len())
	seen := make(map[uint64]bool, 5*each)
	h.replied.each(func(r *Replied) {
		require.Greater(t, r.Seq, r.Ask)
		seen[r.Seq] = true
	})
	h.asked.each(func(a *Asked) { seen[a.Seq] = true })
	h.answers.each(func(a *Answer) { seen[a.Seq] = true })
	require.Len(t, seen, 5*each, "every number once")
}

func TestEventsAreSmall(t *testing.T) {
	const most = 200 // bytes; strings are shared by events
	require.LessOrEqual(t, unsafe.Sizeof(Asked{}), uintptr(most))
	require.LessOrEqual(t, unsafe.Sizeof(Replied{}), uintptr(most))
	require.LessOrEqual(t, unsafe.Sizeof(Published{}), uintptr(most))
	require.LessOrEqual(t, unsafe.Sizeof(Answer{}), uintptr(most))
}

func TestMarkers(t *testing.T) {
	for _, m := range []uint64{1, 0xdeadbeef, 1<<63 | 5} {
		require.Equal(t, m, MarkerIn([]byte(Text(m))))
		value := AppendValue(nil, m, 20)
		require.True(t, json.Valid(value))
		require.Equal(t, m, MarkerIn(value))
		require.Equal(t, m, MarkerIn(value[:len(value)/2]), "the first half will do")
	}
	both := append(AppendValue(nil, 1, 0), AppendValue(nil, 2, 0)...)
	require.Equal(t, Mixed, MarkerIn(both))
	require.Zero(t, MarkerIn(nil))
	require.Zero(t, MarkerIn([]byte("mk-12")))
	whole := Text(0x0123456789abcdef)
	for i := len(markerPrefix); i < len(whole)-1; i++ {
		changed := []byte(whole)
		changed[i] ^= 1
		require.Zero(t, MarkerIn(changed), "a changed marker is none: %s", changed)
	}
	require.Zero(t, MarkerIn([]byte(strings.Replace(whole, "01", "10", 1))))
}

func TestIDs(t *testing.T) {
	const text = "0198f00d-aaaa-4bbb-8ccc-0123456789ab"
	id, ok := ParseID(text)
	require.True(t, ok)
	require.Equal(t, text, id.String())
	found, ok := IDIn([]byte(`{"id":"` + text + `","timestamp":1,"val`))
	require.True(t, ok)
	require.Equal(t, id, found)
	for _, bad := range []string{"", text[1:], "x" + text[1:], strings.ReplaceAll(text, "-", "0")} {
		_, ok := ParseID(bad)
		require.False(t, ok, bad)
	}
	for _, bad := range []string{"{}", `{"id":"` + text[:30]} {
		_, ok := IDIn([]byte(bad))
		require.False(t, ok, bad)
	}
}

func TestViolationsAreBounded(t *testing.T) {
	h := New(0)
	for m := range uint64(50) {
		h.Asked(Asked{Marker: m + 1, Node: press})
	}
	found := Check(h, Options{Nodes: nodes(), MaxViolations: 3})
	require.Len(t, found, 4)
	require.Equal(t, "and 47 more", found[3].Detail)
	require.Contains(t, found[0].String(), "asked")
}

func TestDump(t *testing.T) {
	var out, short bytes.Buffer
	rules := play(t, func(s *scene) {
		s.Fault("drop", "half of them", LosesRequests)()
		s.answered(1)
		ask := s.ask(2, nil)
		s.publish(2, 2)
		s.Partial(Partial{ID: id(2), Marker: 2})
		s.Altered(Altered{ID: id(2)})
		s.Acked(Acked{ID: id(2)})
		s.Delivered(Delivered{ID: id(2), Marker: 2})
		s.answer(2, 2)
		s.Told(Told{ID: id(2), Outcome: "timeout"})
		s.wait(100)
		s.reply(ask, 0, "timeout", safe(false))
		s.Cut(Cut{Conn: 1})
		s.LifeEnded(LifeEnded{Number: 1, Drained: true})
		found := Check(s.History, s.options)
		require.NoError(t, Dump(&out, s.History, s.options, found, 1000))
		require.NoError(t, Dump(&short, s.History, s.options, found, 3))
	})
	require.Equal(t, []string{"never-early"}, rules)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var events []string
	for _, l := range lines {
		var e struct{ Event string }
		require.NoError(t, json.Unmarshal([]byte(l), &e), l)
		events = append(events, e.Event)
	}
	require.Equal(t, []string{
		"violation", "asked", "published", "partial", "altered", "acked", "delivered", "answer", "told", "replied",
		"life", "fault", "cut", "life ended",
	}, events)
	require.Equal(t, 4, strings.Count(short.String(), "\n"))
	require.Contains(t, short.String(), "11 lines more")
}

func TestDumpSaysThatItCannotWrite(t *testing.T) {
	h := New(0)
	h.Life(Life{Number: 1})
	require.Error(t, Dump(broken{}, h, Options{}, nil, 10))
}

// broken takes nothing.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, bytes.ErrTooLarge }

func BenchmarkRecord(b *testing.B) {
	h := New(b.N*4 + 10)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			ask := h.Asked(Asked{Marker: 1, Door: HTTP, Node: press})
			h.Replied(Replied{Ask: ask, Way: Whole})
		}
	})
}

// BenchmarkCheck is of ten thousand transactions that went well.
func BenchmarkCheck(b *testing.B) {
	h := New(0)
	h.Life(Life{Number: 1})
	for i := range uint64(10_000) {
		id := ID{1: byte(i), 2: byte(i >> 8), 3: 1}
		ask := h.Asked(Asked{Marker: i + 1, Door: HTTP, Node: press, Life: 1})
		h.Published(Published{ID: id, Marker: i + 1, Topic: "t/press", Life: 1})
		h.Answer(Answer{ID: id, Marker: i + 1, Topic: "t/press", Life: 1})
		h.Replied(Replied{Ask: ask, Way: Whole, Outcome: "answered", Marker: i + 1})
	}
	b.ReportAllocs()
	for b.Loop() {
		if v := Check(h, Options{Nodes: nodes()}); len(v) > 0 {
			b.Fatal(v[0])
		}
	}
}

func TestEffective(t *testing.T) {
	for stated, want := range map[time.Duration]time.Duration{
		0: 0, time.Second: 950 * time.Millisecond, 200 * time.Millisecond: 180 * time.Millisecond, 5 * time.Millisecond: time.Millisecond,
	} {
		require.Equal(t, want, Effective(stated), stated)
	}
}
