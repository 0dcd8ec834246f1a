package channel

import (
	"bufio"
	"errors"
	"net"
	"os"
	"time"

	"github.com/gopcua/opcua/ua"
)

// readBuffer is how much is read at a time when several short messages wait.
const readBuffer = 8 << 10

// Channel is a connection with its secure channel. Methods may be called from any goroutine.
type Channel struct {
	server *Server
	conn   net.Conn
	in     *bufio.Reader
	out    outbox
	wrote  chan struct{} // closed when the writer has ended

	// Set once, before the handler sees the channel.
	id       uint32
	agreed   *agreement
	envelope *envelope // nil until the channel is open
	mode     ua.MessageSecurityMode

	// The reader's.
	tokens       tokens
	counting     bool   // a sequence number has been seen
	sequence     uint32 // the last
	partial      assembly
	proven       bool   // the client has logged in
	failedLogins int    // in a row
	scratch      []byte // for a chunk that is not a whole message
}

// Serve runs one connection until it ends and closes it. It starts one further goroutine, which
// has ended when it returns.
func (s *Server) Serve(conn net.Conn) {
	c := &Channel{
		server: s,
		conn:   conn,
		in:     bufio.NewReaderSize(conn, readBuffer),
		wrote:  make(chan struct{}),
		id:     s.nextID(),
	}
	c.out.init(conn, s.MaxQueue, s.WriteTimeout)
	c.out.readBy(time.Now().Add(s.HandshakeTimeout))
	go c.write()
	err := c.converse()
	c.finish(err)
	if c.envelope != nil {
		c.closed()
	}
}

// converse reads until the connection ends; the error says why.
func (c *Channel) converse() (err error) {
	defer func() {
		if r := recover(); r != nil {
			c.server.log.panicked(c, "reader", r)
			err = refuse(ua.StatusBadTCPInternalError, "")
		}
	}()
	if err := c.hello(); err != nil {
		return err
	}
	for {
		f, err := peek(c.in)
		if err != nil {
			return err
		}
		if err := c.dispatch(f); err != nil {
			return err
		}
	}
}

// dispatch handles the frame that comes next.
func (c *Channel) dispatch(f frame) error {
	limit := c.agreed.receive + blockSlack
	switch {
	case f.kind == "OPN":
		if err := f.check(min(limit, maxOpen), "OPN"); err != nil {
			return err
		}
		b := make([]byte, f.size)
		if err := f.read(c.in, b); err != nil {
			return err
		}
		return c.open(b)
	case c.envelope == nil:
		return f.check(limit, "OPN")
	}
	if err := f.check(limit, "MSG", "CLO", "OPN"); err != nil {
		return err
	}
	return c.message(f)
}

// finish ends the connection, and returns when it is closed and the writer has ended.
func (c *Channel) finish(cause error) {
	var r *refusal
	switch {
	case errors.As(cause, &r):
	case errors.Is(cause, os.ErrDeadlineExceeded) && c.envelope == nil:
		r = &refusal{status: ua.StatusBadTimeout, reason: "no channel was opened in time"}
	case errors.Is(cause, os.ErrDeadlineExceeded):
		r = &refusal{status: ua.StatusBadSecureChannelTokenUnknown, reason: "the token was not renewed in time"}
	}
	if first := c.out.end(r, r != nil && r.flush); first && r != nil {
		c.server.log.ended(c, r)
	}
	<-c.wrote
	if _, linger := c.out.farewell(); linger {
		drain(c.conn)
	}
	_ = c.conn.Close()
}

// closed tells the handler.
func (c *Channel) closed() {
	defer func() {
		if r := recover(); r != nil {
			c.server.log.panicked(c, "Handler.Closed", r)
		}
	}()
	c.server.Handler.Closed(c)
}

// ID is the secure channel id, unique in the process and never 0.
func (c *Channel) ID() uint32 { return c.id }

// Policy is the URI of the security policy.
func (c *Channel) Policy() string { return c.envelope.policy }

// Mode is the security mode.
func (c *Channel) Mode() ua.MessageSecurityMode { return c.mode }

// ClientCertificate is the client's certificate, DER, without its chain; nil with the policy None.
func (c *Channel) ClientCertificate() []byte { return c.envelope.client }

// EndpointURL is what the client said in its HEL.
func (c *Channel) EndpointURL() string { return c.agreed.url }

// LocalAddr is where the client connected to.
func (c *Channel) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr is where the client is.
func (c *Channel) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// Send hands a message body (type id and response) to the writer. It never blocks, and owns body from
// then on. When the channel is closed or its queue is full it does nothing more than close it.
func (c *Channel) Send(requestID uint32, body []byte) {
	c.out.add(item{kind: itemMessage, request: requestID, body: body})
}

// Close ends the connection, after an ERR message with the status if it is Bad: what still waits to be
// written is written within the write deadline if flush is set, dropped otherwise. It does not block.
func (c *Channel) Close(status ua.StatusCode, flush bool) {
	var words *refusal
	if uint32(status)>>31 != 0 {
		words = &refusal{status: status}
	}
	c.out.end(words, flush)
}
