package http_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

// The conformance suite of servers, over the real engine.
func TestConformance(t *testing.T) {
	t.Run("first reply", func(t *testing.T) { // starts dateClock, which is no leak of a case
		require.Equal(t, 404, serve(t, http.Options{}).do(t, get("/")).StatusCode)
	})
	transporttest.Server(t, func(t *testing.T, engine *core.Engine, nodes []*core.Node) transporttest.ServerRig {
		server, err := http.New(http.Options{Engine: engine, Logger: quiet()})
		require.NoError(t, err)
		for _, n := range nodes {
			require.NoError(t, server.Add(transaction("POST", pathOf(n), n)))
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s := &suiteRig{Server: server, address: ln.Addr().String()}
		s.serving.Go(func() {
			if err := server.Serve(ln); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}

func pathOf(n *core.Node) string { return "/data/" + n.Name() }

type suiteRig struct {
	*http.Server
	address string
	serving sync.WaitGroup

	mu         sync.Mutex
	requesters []net.Conn
}

func (s *suiteRig) Requester() (transporttest.Requester, error) {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requesters = append(s.requesters, c)
	return &suiteRequester{Conn: c, r: bufio.NewReader(c)}, nil
}

func (s *suiteRig) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.requesters {
		_ = c.Close()
	}
	err := s.Server.Close()
	s.serving.Wait()
	return err
}

type suiteRequester struct {
	net.Conn
	r *bufio.Reader
}

func (q *suiteRequester) Close() error { _ = q.Conn.Close(); return nil }

func (q *suiteRequester) Request(ctx context.Context, node *core.Node, value []byte) (transporttest.Reply, error) {
	stop := context.AfterFunc(ctx, func() { _ = q.Conn.Close() })
	defer stop()
	reply, err := q.request(node, value)
	if ctx.Err() != nil {
		return reply, ctx.Err()
	}
	return reply, err
}

func (q *suiteRequester) request(node *core.Node, value []byte) (reply transporttest.Reply, err error) {
	if _, err = io.WriteString(q.Conn, post(pathOf(node), "application/json", string(value))); err != nil {
		return reply, err
	}
	response, err := nethttp.ReadResponse(q.r, nil)
	if err != nil {
		return reply, err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return reply, err
	}
	switch response.StatusCode {
	case 200:
		return transporttest.Reply{Outcome: core.Answered, Value: body}, nil
	case 204:
		return transporttest.Reply{Outcome: core.Answered, Value: []byte("null")}, nil
	}
	return replyOf(body)
}

// replyOf reads a problem document.
func replyOf(body []byte) (reply transporttest.Reply, err error) {
	var document struct {
		Outcome, Detail string
		Code            int64
	}
	if err = json.NewDecoder(bytes.NewReader(body)).Decode(&document); err != nil {
		return reply, fmt.Errorf("%w: %s", err, body)
	}
	for _, outcome := range core.Outcomes() {
		if outcome.String() == document.Outcome {
			return transporttest.Reply{Outcome: outcome, Code: document.Code, Message: document.Detail}, nil
		}
	}
	return reply, fmt.Errorf("no outcome in %s", body)
}
