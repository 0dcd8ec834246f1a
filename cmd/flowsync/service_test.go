package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/admin"
	"github.com/flowsync-go/flowsync/core"
)

// part is a gateway that is not ready while it shuts down.
type part struct {
	played
	reasons []string
}

func (p *part) Ready() []string { return p.reasons }

func joinedFor(t *testing.T, p *part) *joined {
	c, err := openConsole(&settings{admin: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	engine, err := core.New(unsent{}, core.Options{Observer: c.observer()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	j, err := join(p, admin.Sources{Engine: engine}, c, overview{http: "127.0.0.1:1"})
	require.NoError(t, err)
	return j
}

func TestConsoleShowsUntilTheGatewayHasEnded(t *testing.T) {
	p := &part{reasons: []string{"shutting down"}}
	j := joinedFor(t, p)
	assert.Equal(t, overview{http: "127.0.0.1:1", admin: j.console.addr()}, j.Overview())
	p.shutdown = func(context.Context) error {
		status, body := ask(t, "http://"+j.console.addr()+"/readyz", nil)
		assert.Equal(t, 503, status)
		assert.Contains(t, body, "shutting down")
		return context.DeadlineExceeded
	}
	assert.ErrorIs(t, j.Shutdown(context.Background()), context.DeadlineExceeded)
	assert.Empty(t, j.Failed())
}

func TestFailureOfEitherPart(t *testing.T) {
	broken := errors.New("broken")
	gateway := joinedFor(t, &part{played: played{failed: make(chan error, 1), shutdown: atOnceDone}})
	gateway.gateway.(*part).failed <- broken
	assert.Equal(t, broken, <-gateway.Failed())
	require.NoError(t, gateway.Shutdown(context.Background()))

	console := joinedFor(t, &part{played: played{shutdown: atOnceDone}})
	require.NoError(t, console.console.listener.Close()) // as if it broke
	assert.ErrorContains(t, <-console.Failed(), "admin: ")
	require.NoError(t, console.Shutdown(context.Background()))
}
