package service

import (
	"sync"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/subscription"
)

// client is what is kept for a session.
type client struct {
	service *Service
	session *session.Session

	mu            sync.Mutex          // guards all below; only the manager of subscriptions has a lock below it
	owner         *subscription.Owner // nil until the session is activated
	identity      string              // of who has logged in
	ended         ua.StatusCode       // Bad once the session has ended
	held          *held               // the newest request that is held
	count         int                 // of them
	continuations continuations
}

func newClient(s *Service, own *session.Session) *client { return &client{service: s, session: own} }

func clientOf(own *session.Session) *client { return own.Data.(*client) }

// activate gives the client its part of the subscriptions. When somebody else logs in on the
// session, those of who had it before are deleted: they are not the new one's to see.
func (c *client) activate(identity string) {
	c.mu.Lock()
	before := c.owner
	if c.ended != ua.StatusOK || before != nil && c.identity == identity {
		c.mu.Unlock()
		return
	}
	c.owner, c.identity = c.service.options.Subscriptions.NewOwner(identity), identity
	c.mu.Unlock()
	if before != nil {
		before.Close(true)
	}
}

// subscriptions is the client's part of them. The session is activated.
func (c *client) subscriptions() *subscription.Owner {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owner
}

// isBusy says that something is held: a client that waits for us is not idle.
func (c *client) isBusy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count > 0
}

// add puts a held request into the list; false if the session has ended meanwhile.
func (c *client) add(h *held) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended != ua.StatusOK {
		return false
	}
	h.next = c.held
	if h.next != nil {
		h.next.previous = h
	}
	c.held = h
	c.count++
	return true
}

// cancelled notes that an operation was cancelled.
func (c *client) cancelled(h *held) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h.cancelled = true
}

// remove takes it out and says what ended it as a whole, if anything did: whoever wanted to may have
// come too late.
func (c *client) remove(h *held) ua.StatusCode {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.previous != nil {
		h.previous.next = h.next
	} else {
		c.held = h.next
	}
	if h.next != nil {
		h.next.previous = h.previous
	}
	h.next, h.previous = nil, nil
	c.count--
	if !h.cancelled {
		return ua.StatusOK
	}
	return h.ended
}

// cancel ends the requests that which picks, each with a fault, and says how many there were.
func (c *client) cancel(why ua.StatusCode, which func(*held) bool) int {
	var picked []*held
	c.mu.Lock()
	for h := c.held; h != nil; h = h.next {
		if h.ended == ua.StatusOK && which(h) {
			h.ended = why
			picked = append(picked, h)
		}
	}
	c.mu.Unlock()
	n := 0
	for _, h := range picked {
		if h.cancel() {
			n++
		}
	}
	return n
}

// end ends everything that the session had. It is called once.
func (c *client) end(why ua.StatusCode, deleteSubscriptions bool) {
	c.mu.Lock()
	c.ended = why
	owner := c.owner
	c.continuations = continuations{}
	c.mu.Unlock()
	c.cancel(ua.StatusBadSessionClosed, func(*held) bool { return true })
	if owner != nil {
		owner.Close(deleteSubscriptions)
	}
}
