package admin

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

func TestRecentKeepsTheLatest(t *testing.T) {
	b := newBench(t, "order")
	node := b.engine.Nodes()[0]
	var r Recent
	entries, total := r.Latest()
	assert.Empty(t, entries)
	assert.Zero(t, total)

	payload := []byte(strings.Repeat("x", 1000))
	r.Stray(node, &core.Stray{Kind: core.Foreign})  // is not kept
	r.Stray(node, &core.Stray{Kind: core.Extended}) // nor is this
	for i := range maxRecent + 10 {
		r.Stray(node, &core.Stray{Kind: core.Malformed, ID: core.ID{15: byte(i)}, Payload: payload, Err: errors.New(strings.Repeat("y", 1000))})
	}
	payload[0] = 'z' // it is not ours any more

	entries, total = r.Latest()
	require.Len(t, entries, maxRecent)
	assert.EqualValues(t, maxRecent+10, total)
	assert.Equal(t, core.ID{15: 9}, entries[0].ID, "265 = 9 modulo 256")
	assert.Equal(t, core.ID{15: 10}, entries[maxRecent-1].ID)
	assert.Equal(t, strings.Repeat("x", maxPayload), entries[0].Payload)
	assert.Equal(t, strings.Repeat("y", maxPayload), entries[0].Detail)
	assert.Equal(t, 1000, entries[0].Bytes)
	assert.Equal(t, "order", entries[0].Node)
	assert.False(t, entries[0].Time.IsZero())
}

// TestLateEntry: what programs are told of an answer.
func TestLateEntry(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8_900_000, time.FixedZone("", 3600))
	for want, e := range map[string]StrayEntry{
		`{"time":"2026-03-04T04:06:07.008Z","node":"order","kind":"late","id":"01020000-0000-0000-0000-000000000000","outcome":"timeout","latenessMs":1.5,"payload":"{}","payloadBytes":2}`: {
			Time: at, Node: "order", Kind: core.Late, ID: core.ID{1, 2}, Outcome: core.Timeout, Lateness: 1500 * time.Microsecond, Payload: "{}", Bytes: 2,
		},
		`{"time":"2026-03-04T04:06:07.008Z","node":"order","kind":"duplicate","id":"01020000-0000-0000-0000-000000000000","outcome":"answered","latenessMs":0,"payload":"","payloadBytes":0}`: {
			Time: at, Node: "order", Kind: core.Duplicate, ID: core.ID{1, 2}, Outcome: core.Answered,
		},
		`{"time":"2026-03-04T04:06:07.008Z","node":"a\ufffd","kind":"malformed","payload":"x","payloadBytes":1,"detail":"no JSON"}`: {
			Time: at, Node: "a\xff", Kind: core.Malformed, Payload: "x", Bytes: 1, Detail: "no JSON",
		},
	} {
		text, err := json.Marshal(e.late())
		require.NoError(t, err)
		assert.Equal(t, want, strings.ReplaceAll(string(text), "\ufffd", `\ufffd`))
	}
}

// TestBeginning: an excerpt is valid text and bounded, whatever the payload.
func TestBeginning(t *testing.T) {
	long := strings.Repeat("a", maxPayload-1)
	for _, c := range []struct{ from, want string }{
		{"", ""},
		{"größer", "größer"},
		{"a\xffb", "a\ufffdb"},
		{"ends in half a rune \xc3", "ends in half a rune \ufffd"},
		{long + "bc", long + "b"},
		{long + "é", long},
		{long[3:] + "😀x", long[3:] + "😀"},
		{long[1:] + "😀", long[1:]},
		{strings.Repeat("\xffa", 300), strings.Repeat("\ufffda", maxPayload/4)},
		{strings.Repeat("\x80", 1000), "\ufffd"},
	} {
		got := beginning([]byte(c.from))
		assert.Equal(t, c.want, got)
		assert.True(t, utf8.ValidString(got))
		assert.LessOrEqual(t, len(got), maxPayload)
	}
}
