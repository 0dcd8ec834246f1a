package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/admin"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/logging"
	"github.com/flowsync-go/flowsync/core"
)

// unsent is a bus that publishes nothing.
type unsent struct{}

func (unsent) Publish(*core.Request) error { return core.ErrNotSent }

func ask(t *testing.T, url string, change func(*nethttp.Request)) (int, string) {
	request, err := nethttp.NewRequest("GET", url, nil)
	require.NoError(t, err)
	request.Close = true
	if change != nil {
		change(request)
	}
	response, err := nethttp.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestConsole(t *testing.T) {
	var log page
	logger, err := logging.New(&log, logging.JSON, "info")
	require.NoError(t, err)
	c, err := openConsole(&settings{admin: "127.0.0.1:0", logTransactions: logging.Failed, origins: []string{"https://plant.example"}}, logger)
	require.NoError(t, err)
	engine, err := core.New(unsent{}, core.Options{Observer: c.observer()})
	require.NoError(t, err)
	node, err := engine.AddNode(core.NodeOptions{Name: "order", Topic: "services/shop/order"})
	require.NoError(t, err)
	require.NoError(t, c.serve(admin.Sources{Engine: engine, Broker: func() admin.BrokerStats {
		return admin.BrokerStats{Reconnects: 3}
	}}, func() []string { return []string{"shutting down"} }))
	url := "http://" + c.addr()

	assert.Equal(t, core.NotPublished, engine.Do(t.Context(), &core.Call{Node: node}).Outcome)
	_, metrics := ask(t, url+"/metrics", nil)
	assert.Contains(t, metrics, `flowsync_transactions_total{node="order",outcome="not_published"} 1`)
	assert.Contains(t, metrics, `flowsync_transaction_duration_seconds_count{node="order",outcome="not_published"} 1`)
	assert.Contains(t, metrics, "flowsync_mqtt_reconnects_total 3")
	assert.Contains(t, metrics, `version="dev"`)
	status, _ := ask(t, url+"/readyz", nil)
	assert.Equal(t, 503, status)

	for _, foreign := range []func(*nethttp.Request){
		func(r *nethttp.Request) { r.Host = "rebound.example" },
		func(r *nethttp.Request) { r.Header.Set("Origin", "https://elsewhere.example") },
		func(r *nethttp.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		status, _ := ask(t, url+"/metrics", foreign)
		assert.Equal(t, 403, status)
	}
	status, _ = ask(t, url+"/healthz", func(r *nethttp.Request) { r.Header.Set("Origin", "https://plant.example") })
	assert.Equal(t, 200, status)

	require.NoError(t, engine.Close())
	require.NoError(t, c.close(context.Background()))
	assert.Contains(t, log.String(), `"outcome":"not_published"`)
	assert.Empty(t, c.failed)
}

func TestConsoleThatDoesNotOpen(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	_, err = openConsole(&settings{admin: busy.Addr().String()}, slog.Default())
	assert.ErrorContains(t, err, "--admin: listen tcp "+busy.Addr().String())
	_, err = openConsole(&settings{admin: "127.0.0.1:0", origins: []string{"plant"}}, slog.Default())
	assert.ErrorContains(t, err, "--http-allow-origin")
}

func TestConsoleThatNeverServes(t *testing.T) {
	c, err := openConsole(&settings{admin: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, c.close(context.Background()))
	_, err = net.Dial("tcp", c.addr())
	assert.Error(t, err)
}

func TestConsoleThatFails(t *testing.T) {
	c, err := openConsole(&settings{admin: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	engine, err := core.New(unsent{}, core.Options{})
	require.NoError(t, err)
	defer engine.Close()
	require.NoError(t, c.listener.Close()) // as if it broke
	require.NoError(t, c.serve(admin.Sources{Engine: engine}, nil))
	assert.ErrorContains(t, <-c.failed, "admin: ")
	require.NoError(t, c.close(context.Background()))
}
