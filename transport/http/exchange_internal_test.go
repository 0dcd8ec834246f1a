package http

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// An abandoned exchange is not written to any more: it has no reply here, so that a completer
// which wrote would panic.
func TestAbandonedExchange(t *testing.T) {
	x := newExchange(nil)
	require.False(t, x.abandon(), "there was no transaction")
	x.state.Store(exchangeOpen)
	require.True(t, x.abandon())
	x.Complete(core.Result{Outcome: core.Answered, Value: []byte("1")})
	require.Zero(t, x.result)
}
