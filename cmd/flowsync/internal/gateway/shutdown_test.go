package gateway

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// TestDrain: what is held when the gateway stops is answered, also by a mapping; what comes
// later is refused with the reason.
func TestDrain(t *testing.T) {
	r := open(t, node("ask", ""))
	requests := r.listen("services/test/ask/treq")
	answers := make(chan string, 3)
	for range 3 {
		go func() {
			_, body := r.ask("POST", "/ask", "1")
			answers <- body
		}()
	}
	held := []mqtt.Message{receive(t, requests), receive(t, requests), receive(t, requests)}
	require.Empty(t, r.Ready())
	drained := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		drained <- r.Shutdown(ctx)
	}()
	require.Eventually(t, func() bool { return len(r.Ready()) == 1 }, 5*time.Second, time.Millisecond)
	require.Equal(t, []string{"shutting down"}, r.Ready())
	require.Eventually(t, func() bool {
		status, body := r.ask("POST", "/ask", "1")
		return status == 503 && outcome(body) == "shutdown"
	}, 5*time.Second, time.Millisecond)
	for _, m := range held {
		reply, err := core.DecodeAnswer(m.Payload)
		require.NoError(t, err)
		require.NoError(t, r.link.PublishMessage(mqtt.Message{
			Topic: "services/test/ask/tres", Payload: fmt.Appendf(nil, `{"id":"%s","value":"done"}`, reply.ID),
		}))
	}
	for range held {
		require.Equal(t, `"done"`, receive(t, answers))
	}
	require.NoError(t, receive(t, drained))
	require.Zero(t, r.Engine().Held())
}

// TestDrainTimeIsOver: what nobody answers ends as shutdown when the time is over.
func TestDrainTimeIsOver(t *testing.T) {
	r := open(t, node("ask", ", transaction: {timeout: 60000}"))
	requests := r.listen("services/test/ask/treq")
	answer := make(chan string, 1)
	go func() {
		_, body := r.ask("POST", "/ask", "1")
		answer <- body
	}()
	receive(t, requests)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.Equal(t, ErrStillHeld.Error(), fmt.Sprint(r.Shutdown(ctx)), "and nothing else")
	require.Equal(t, "shutdown", outcome(receive(t, answer)))
}

// slowLink is a broker that needs time to close.
type slowLink struct {
	link
	left chan time.Duration // what it was given
}

func (l slowLink) Close(ctx context.Context) error {
	end, _ := ctx.Deadline()
	l.left <- time.Until(end)
	return l.link.Close(ctx)
}

// TestHalfARequest: a client that never finishes its request neither fails the shutdown nor
// takes the link's time to write, and its connection is not left behind (goleak).
func TestHalfARequest(t *testing.T) {
	r := open(t, node("ask", ""))
	slow := slowLink{r.link, make(chan time.Duration, 2)}
	r.link = slow
	client, err := net.Dial("tcp", r.HTTPAddr())
	require.NoError(t, err)
	defer client.Close()
	status, _ := r.ask("GET", "/nothing", "") // accepted after it
	require.Equal(t, 404, status)
	_, err = client.Write([]byte("POST /data/ask HTTP/1.1\r\nHost: x"))
	require.NoError(t, err)
	for range 20 { // by then it has been read: nothing tells
		r.ask("GET", "/nothing", "")
	}
	require.NoError(t, r.Shutdown(context.Background()))
	require.Greater(t, receive(t, slow.left), linkWait/2)
	require.NoError(t, client.SetReadDeadline(time.Now().Add(5*time.Second)))
	_, err = client.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "it is cut")
}

// TestReceivesRefuseWhileDraining: so do nodes that hold nothing; what was provided still is.
func TestReceivesRefuseWhileDraining(t *testing.T) {
	r := open(t, node("ask", ", transaction: {timeout: 60000}")+value("in", "POST", "serverReceives", "")+
		value("ruled", "POST", "serverReceives", `, rules: [{filter: {expression: 'true'}}]`)+
		value("both", "PUT", "serverProvidesAndReceives", ""))
	messages := r.listen("services/test/+")
	requests := r.listen("services/test/ask/treq")
	status, _ := r.ask("PUT", "/both", "7")
	require.Equal(t, 204, status)
	receive(t, messages)
	answer := make(chan string, 1)
	go func() {
		_, body := r.ask("POST", "/ask", "1")
		answer <- body
	}()
	receive(t, requests)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- r.Shutdown(ctx) }()
	require.Eventually(t, func() bool { return len(r.Ready()) == 1 }, 5*time.Second, time.Millisecond)
	for method, path := range map[string]string{"POST": "/in", "PUT": "/both"} {
		status, body := r.ask(method, path, "1")
		require.Equal(t, 503, status, path)
		require.Equal(t, "shutdown", outcome(body), path)
		require.NotContains(t, body, "core:")
	}
	status, body := r.ask("POST", "/ruled", "1")
	require.Equal(t, 503, status, body)
	status, body = r.ask("GET", "/both", "")
	require.Equal(t, "200 7", fmt.Sprint(status, " ", body))
	require.Empty(t, messages)
	cancel()
	require.ErrorIs(t, receive(t, drained), ErrStillHeld)
	require.Equal(t, "shutdown", outcome(receive(t, answer)))
}
