package requester

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// session is a connection with a session, and what is under way on it.
type session struct {
	o      *Options
	client *rawclient.Client

	mu      sync.Mutex // guards what follows; held while a request is sent, so that its reply finds it
	flights map[uint32]*flight
	past    [pastSize]*flight // the last that have ended, by their ids
	lost    bool
	closing bool // by this side
}

// pastSize is how many requests are remembered that have ended: what comes for one is a second reply.
const pastSize = 4096

// The type ids of replies to requests.
var (
	callResponse  = ua.ServiceTypeID(&ua.CallResponse{})
	writeResponse = ua.ServiceTypeID(&ua.WriteResponse{})
)

// flight is a request under way.
type flight struct {
	*asked
	id    uint32 // of the request on its channel, and its handle
	reply history.Replied
	ended chan struct{} // closed when reply is there
}

var errLost = errors.New("the session is lost")

// send sends a request. An error means that nothing was sent.
func (s *session) send(q Request) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost {
		return nil, errLost
	}
	f := &flight{asked: s.o.ask(q, q.opcuaLimit()), ended: make(chan struct{})}
	id, err := s.client.Send(q.message())
	f.id = id
	if err != nil {
		// Nothing of it was written. The client has ended, or the server does not read.
		f.reply = history.Replied{Way: history.Unreached}
		s.o.ended(f.asked, f.reply)
		close(f.ended)
		return f, nil
	}
	s.flights[id] = f
	return f, nil
}

// deliver takes a reply. It runs on the client's reader.
func (s *session) deliver(r rawclient.Response) {
	number, _, _, _ := r.Result()
	e, id := judge(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flights[id]
	delete(s.flights, id)
	switch {
	case f != nil:
		s.finish(f, e)
	case s.past[id%pastSize] != nil && s.past[id%pastSize].id == id:
		s.o.again(s.past[id%pastSize].asked, e)
	case number == callResponse || number == writeResponse: // others: in coming and leaving, later than was waited for
		s.o.Lost(fmt.Sprintf("a reply over OPC UA to a request that is not known: %s, status %#x", e.Outcome, e.Status))
	}
}

// finish needs mu.
func (s *session) finish(f *flight, e history.Replied) {
	f.reply = e
	s.past[f.id%pastSize] = f
	s.o.ended(f.asked, e)
	close(f.ended)
}

// end ends a request that has no reply. One that has is left as it is.
func (s *session) end(f *flight, e history.Replied) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flights[f.id] == f {
		delete(s.flights, f.id)
		s.finish(f, e)
	}
}

// goodbye is how long cancelling and closing may take.
const goodbye = 2 * time.Second

// leave cancels the request after its time. One in 64 closes the whole session instead.
func (s *session) leave(ctx context.Context, f *flight) {
	if !pause(ctx, f.Leave) {
		return
	}
	s.mu.Lock()
	under := s.flights[f.id] == f
	s.mu.Unlock()
	switch {
	case !under:
	case f.Marker>>8%64 == 0:
		s.close()
	default:
		limited, cancel := context.WithTimeout(ctx, goodbye)
		defer cancel()
		_, _ = s.client.Do(limited, &ua.CancelRequest{RequestHandle: f.id}) // the request itself has a reply of its own
	}
}

// close closes session and connection.
func (s *session) close() {
	s.mu.Lock()
	s.closing, s.lost = true, true
	s.mu.Unlock()
	limited, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = s.client.CloseSession(limited, true)
	s.client.Abort()
}

// watch ends what is under way when the connection has ended.
func (s *session) watch() {
	<-s.client.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
	flights := s.flights
	s.flights = nil
	for _, f := range flights {
		e := history.Replied{Way: history.Ended}
		if s.closing {
			e.Way = history.Left
		}
		s.finish(f, e)
	}
}

// gone says that the session is lost.
func (s *session) gone() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}
