package transporttest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

// lineServer is about the smallest server that there can be: a request is one line of JSON on a
// TCP connection, and so is its reply.
type lineServer struct {
	waiters  core.WaiterPool
	engine   *core.Engine
	nodes    map[string]*core.Node
	listener net.Listener
	fault    string // what it does wrong, see broken_test.go

	running sync.WaitGroup // connections, and who accepts them
	busy    sync.WaitGroup // requests that are held

	mu          sync.Mutex // guards all below
	connections map[net.Conn]bool
	closed      bool
}

type lineRequest struct {
	Node  string
	Value json.RawMessage
}

type lineReply struct {
	Outcome core.Outcome
	Value   json.RawMessage
	Code    int64
	Message string
}

func newLineServer(t *testing.T, engine *core.Engine, nodes []*core.Node) *lineServer {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &lineServer{engine: engine, nodes: map[string]*core.Node{}, listener: listener, connections: map[net.Conn]bool{}}
	for _, n := range nodes {
		s.nodes[n.Name()] = n
	}
	s.running.Go(s.accept)
	return s
}

func (s *lineServer) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			c.Close()
		} else {
			s.connections[c] = true
			s.running.Go(func() { s.serve(c) })
		}
		s.mu.Unlock()
	}
}

// serve reads ahead while a request is held, because the end of the connection means that the
// requester is gone.
func (s *lineServer) serve(c net.Conn) {
	lines, left := make(chan []byte), make(chan struct{})
	defer s.forget(c, left)
	s.running.Go(func() {
		defer close(lines)
		for r := bufio.NewReader(c); ; {
			line, err := r.ReadBytes('\n')
			if err != nil {
				return
			}
			select {
			case lines <- line:
			case <-left:
				return
			}
		}
	})
	for line := range lines {
		if !s.handle(c, line, lines) {
			return
		}
	}
}

func (s *lineServer) handle(c net.Conn, line []byte, more <-chan []byte) bool {
	s.busy.Add(1)
	defer s.busy.Done()
	var request lineRequest
	if json.Unmarshal(line, &request) != nil {
		return false
	}
	w := s.waiters.Acquire()
	defer w.Release()
	id := s.engine.Begin(&core.Call{Node: s.nodes[request.Node], Value: request.Value}, w)
	gone := false
	select {
	case <-w.Done():
	case <-more:
		gone = true
		if s.fault != "keeps what nobody waits for" {
			s.engine.Cancel(id)
		}
		<-w.Done()
	}
	r := w.Result()
	reply := lineReply{r.Outcome, r.Value, r.Code, r.Message}
	if s.fault == "calls a timeout answered" && reply.Outcome == core.Timeout {
		reply = lineReply{Outcome: core.Answered, Value: []byte("null")}
	}
	text, err := json.Marshal(reply)
	if gone || err != nil {
		return false
	}
	_, err = c.Write(append(text, '\n'))
	return err == nil
}

func (s *lineServer) forget(c net.Conn, left chan struct{}) {
	close(left)
	c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.connections, c)
}

// Requester implements transporttest.ServerRig.
func (s *lineServer) Requester() (transporttest.Requester, error) {
	c, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		return nil, err
	}
	return &lineRequester{c, bufio.NewReader(c)}, nil
}

// Shutdown implements transporttest.ServerRig.
func (s *lineServer) Shutdown(ctx context.Context) error {
	s.listener.Close()
	idle := make(chan struct{})
	s.running.Go(func() {
		s.busy.Wait()
		close(idle)
	})
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close implements transporttest.ServerRig.
func (s *lineServer) Close() error {
	s.listener.Close()
	s.mu.Lock()
	s.closed = true
	for c := range s.connections {
		c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return nil
}

type lineRequester struct {
	net.Conn
	reader *bufio.Reader
}

// Request implements transporttest.Requester.
func (r *lineRequester) Request(ctx context.Context, node *core.Node, value []byte) (transporttest.Reply, error) {
	stop := context.AfterFunc(ctx, func() { r.Close() })
	defer stop()
	text, err := json.Marshal(lineRequest{node.Name(), value})
	if err != nil {
		return transporttest.Reply{}, err
	}
	var line []byte
	if _, err = r.Write(append(text, '\n')); err == nil {
		line, err = r.reader.ReadBytes('\n')
	}
	if ctx.Err() != nil {
		return transporttest.Reply{}, ctx.Err()
	}
	var reply lineReply
	if err == nil {
		err = json.Unmarshal(line, &reply)
	}
	return transporttest.Reply{Outcome: reply.Outcome, Value: reply.Value, Code: reply.Code, Message: reply.Message}, err
}
