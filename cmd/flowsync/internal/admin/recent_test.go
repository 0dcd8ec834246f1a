package admin

import (
	"errors"
	"strings"
	"testing"

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
	r.Stray(node, &core.Stray{Kind: core.Foreign}) // is not kept
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
