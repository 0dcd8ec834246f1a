package load

import (
	"sync"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// opcuaConn is a connection with a session on it.
type opcuaConn struct {
	session  *opcuaSession
	client   *rawclient.Client
	template *rawclient.Template
	inputs   int           // where they are in the template
	scratch  []byte        // the reader's
	unusable chan struct{} // one token: it is of no more use, though it is there
	gone     chan struct{} // closed when the session has another, or none

	mu    sync.Mutex // guards all below; the client's lock for writing is above it
	asked map[uint32]opcuaAsked
	late  int   // of these, that nobody waits for any more
	err   error // why it is unusable
}

// opcuaAsked is a request that is not answered.
type opcuaAsked struct {
	lane *opcuaLane // nil: nobody waits for it
	seq  uint64
}

func newOPCUAConn(s *opcuaSession) *opcuaConn {
	return &opcuaConn{session: s, unusable: make(chan struct{}, 1), gone: make(chan struct{}), asked: make(map[uint32]opcuaAsked)}
}

// ask sends request seq for a lane, which gets the verdict over its channel.
func (c *opcuaConn) ask(l *opcuaLane, seq uint64) (id uint32, err error) {
	id, err = c.client.SendTemplate(c.template, func(body []byte, id uint32) {
		c.session.plan.appendInputs(body[:c.inputs], seq)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.asked[id] = opcuaAsked{l, seq}
	})
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.asked, id)
	}
	return id, err
}

// deliver takes a response, on the reader.
func (c *opcuaConn) deliver(r rawclient.Response) {
	c.mu.Lock()
	a, known := c.asked[r.ID]
	delete(c.asked, r.ID)
	if known && a.lane == nil {
		c.late--
	}
	c.mu.Unlock()
	switch {
	case !known:
		c.session.duplicates.Add(1)
	case a.lane != nil:
		v := c.session.plan.judge(r, a.seq, &c.scratch)
		if sessionGone[v.Outcome] {
			c.broken(v.Err)
		}
		a.lane.answer <- v // there is room: a lane asks one request at a time
	}
}

// sessionGone are status codes after which the session is not worth asking over.
var sessionGone = func() map[string]bool {
	names := make(map[string]bool)
	for _, status := range []ua.StatusCode{
		ua.StatusBadSessionIDInvalid, ua.StatusBadSessionClosed, ua.StatusBadSessionNotActivated,
		ua.StatusBadSecureChannelIDInvalid, ua.StatusBadSecureChannelClosed, ua.StatusBadSecureChannelTokenUnknown,
	} {
		names[statusName(status)] = true
	}
	return names
}()

// broken says that the connection is of no more use. The first reason counts.
func (c *opcuaConn) broken(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		c.unusable <- struct{}{}
	}
}

func (c *opcuaConn) why() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	return c.client.Err()
}

// maxLate is how many lost requests are remembered, lest answers that come after all are taken for
// answers to nothing.
const maxLate = 1 << 16

// giveUp says that the lane waits no more. false: the verdict is there, or about to be.
func (c *opcuaConn) giveUp(id uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, unanswered := c.asked[id]; !unanswered {
		return false
	}
	c.asked[id] = opcuaAsked{}
	if c.late++; c.late > maxLate {
		for id, a := range c.asked {
			if a.lane == nil {
				delete(c.asked, id)
			}
		}
		c.late = 0
	}
	return true
}

// lose tells all who wait that their requests are lost. The client has ended.
func (c *opcuaConn) lose(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.asked {
		if a.lane != nil {
			a.lane.answer <- Verdict{Outcome: Lost, Err: err}
		}
	}
	clear(c.asked)
	close(c.gone)
}
