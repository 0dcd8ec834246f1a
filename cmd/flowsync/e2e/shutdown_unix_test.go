//go:build unix

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// While held requests are still answered, new ones are refused; then it exits with 0.
func TestDrain(t *testing.T) {
	const held = 500
	g := start(t, "testdata/order.yaml")
	respond(t, responder.Options{Address: g.broker, Topics: []string{"services/e2e/#"}, DelayMin: 2 * time.Second, DelayMax: 2500 * time.Millisecond})
	url := "http://" + g.http + "/data/order"
	open := client(8)
	defer open.CloseIdleConnections()
	ask(t, open, "GET", "http://"+g.http+"/data/none", "") // the connection is kept

	replies := make([]*reply, held)
	var all sync.WaitGroup
	c := client(held)
	defer c.CloseIdleConnections()
	for i := range replies {
		all.Go(func() { replies[i], _ = try(c, "POST", url, fmt.Sprint(i)) })
	}
	require.Eventually(t, func() bool { return g.held() == held }, patience, time.Millisecond)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		code, took := g.end(syscall.SIGTERM)
		assert.Zero(t, code)
		assert.Less(t, took, 10*time.Second, "the drain time")
	}()
	refused := refusedWhileDraining(t, open, url)
	assert.Equal(t, "shutdown", refused.outcome())
	assert.True(t, refused.problem.RetrySafe)
	all.Wait()
	<-ended
	for i, r := range replies {
		if assert.NotNil(t, r, "request %d was lost", i) {
			assert.Equal(t, 200, r.status)
			assert.Equal(t, fmt.Sprint(i), string(r.body))
		}
	}
}

// refusedWhileDraining asks on a connection from before until it is told no.
func refusedWhileDraining(t *testing.T, c *http.Client, url string) *reply {
	t.Helper()
	for range 1000 {
		c.Timeout = time.Second
		r, err := try(c, "POST", url, "0")
		if err == nil && r.status == http.StatusServiceUnavailable {
			return r
		}
		require.Error(t, err, "a new request was neither refused nor held: %v", r)
	}
	require.Fail(t, "new requests are not refused")
	return nil
}

// What nobody answers in the drain time ends as shutdown, and the exit code is 0 all the same.
func TestDrainTimeIsOver(t *testing.T) {
	g := start(t, "testdata/order.yaml", "--drain", "200ms")
	got := make(chan *reply, 1)
	go func() {
		r, _ := try(client(1), "POST", "http://"+g.http+"/data/order", "1")
		got <- r
	}()
	require.Eventually(t, func() bool { return g.held() == 1 }, patience, time.Millisecond)
	code, took := g.end(syscall.SIGTERM)
	assert.Zero(t, code)
	assert.Less(t, took, 5*time.Second)
	if r := <-got; assert.NotNil(t, r) {
		assert.Equal(t, 503, r.status)
		assert.Equal(t, "shutdown", r.outcome())
		assert.False(t, r.problem.RetrySafe, "it had left")
	}
}

func TestSecondSignal(t *testing.T) {
	g := start(t, "testdata/order.yaml")
	go try(client(1), "POST", "http://"+g.http+"/data/order", "1")
	require.Eventually(t, func() bool { return g.held() == 1 }, patience, time.Millisecond)
	require.NoError(t, g.process.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool {
		r, err := try(client(1), "GET", "http://"+g.admin+"/readyz", "")
		return err == nil && r.status == 503
	}, patience, time.Millisecond, "readyz says that it is draining")
	code, took := g.end(syscall.SIGTERM)
	assert.Equal(t, 143, code)
	assert.Less(t, took, time.Second)
}

// Calls that are held when the program is told to end are answered, those that nobody answers
// end as shutdown; both kinds of response reach the client before its connection is closed.
func TestDrainOfCalls(t *testing.T) {
	const n = 20
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	g := start(t, "testdata/press.yaml", "--drain", "300ms")
	statuses := make(chan ua.StatusCode, 2*n)
	c := g.login(ctx, func(r rawclient.Response) {
		status := ua.StatusBadUnexpectedError
		if decoded, err := r.Decode(); err == nil {
			if response, ok := decoded.(*ua.CallResponse); ok {
				status = response.Results[0].StatusCode
			}
		}
		statuses <- status
	})
	for range n {
		_, err := c.Send(call("Press.Answered", "4711"))
		require.NoError(t, err)
		_, err = c.Send(call("Press.Silent", "4711"))
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool { return len(statuses) == n && g.held() == n }, patience, time.Millisecond)
	code, took := g.end(syscall.SIGTERM)
	assert.Zero(t, code)
	assert.Less(t, took, 5*time.Second)
	<-c.Done()
	ends := map[ua.StatusCode]int{}
	for range 2 * n {
		ends[<-statuses]++
	}
	assert.Equal(t, map[ua.StatusCode]int{ua.StatusOK: n, ua.StatusBadShutdown: n}, ends)
}
