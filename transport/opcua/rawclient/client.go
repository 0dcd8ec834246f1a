package rawclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
	"github.com/gopcua/opcua/uapolicy"
)

// ErrClosed is why a client ended that was closed by its own side.
var ErrClosed = errors.New("rawclient: closed")

// ErrFull is why nothing was sent for now, with Options.NoWait: the server does not read fast enough.
var ErrFull = errors.New("rawclient: as much waits to be written as may")

// Client is a connection with its secure channel, and perhaps a session. Methods may be called
// from many goroutines.
type Client struct {
	o          Options
	conn       net.Conn
	in         *bufio.Reader // the reader's
	opening    *suite        // of OPN messages
	sendSize   int           // bytes of a chunk to the server
	lastID     atomic.Uint32 // request ids given out
	renewing   sync.Mutex    // held during one OPN and its response
	written    chan struct{} // closed by the writer when it has ended
	ended      chan struct{} // closed by the reader when both have ended
	delivering atomic.Bool   // the reader is in Options.Deliver

	wmu        sync.Mutex // guards what follows
	more, less *sync.Cond // there is something to write; there is less
	out        []byte     // what is not written yet
	body       []byte     // scratch: the body that is being sent
	stopped    bool       // nothing is written any more, but what is there
	sequence   uint32     // the last sequence number that was sent
	sending    *token

	mu        sync.Mutex // guards what follows; a leaf, but for wmu being held
	receiving [2]*token  // the newest and the one before
	pending   *pending   // the OPN that waits for its response
	waiting   map[uint32]chan Response
	session   *ua.NodeID // the authentication token
	err       error      // why the client ended
}

// Dial connects, says hello and opens a secure channel.
func Dial(ctx context.Context, options Options) (*Client, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c, err := hello(ctx, o)
	if err != nil {
		return nil, err
	}
	c.start()
	if err := c.open(ctx, ua.SecurityTokenRequestTypeIssue); err != nil {
		c.Abort()
		return nil, err
	}
	return c, nil
}

// Connect makes a connection and says hello, without a channel: for tests that go on with
// [Client.WriteRaw]. Responses other than ERR end it.
func Connect(ctx context.Context, options Options) (*Client, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c, err := hello(ctx, o)
	if err == nil {
		c.start()
	}
	return c, err
}

func (c *Client) start() {
	go c.write()
	go c.read()
}

// hello returns a client whose reader has not started.
func hello(ctx context.Context, o Options) (*Client, error) {
	opening, err := newOpening(ctx, &o)
	if err != nil {
		return nil, err
	}
	conn, err := o.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("rawclient: connecting: %w", err)
	}
	c := &Client{
		o:       o,
		conn:    conn,
		in:      bufio.NewReaderSize(conn, o.ReceiveBuffer),
		opening: opening,
		written: make(chan struct{}),
		ended:   make(chan struct{}),
		waiting: make(map[uint32]chan Response),
		session: ua.NewTwoByteNodeID(0),
	}
	c.more, c.less = sync.NewCond(&c.wmu), sync.NewCond(&c.wmu)
	if err := c.hello(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// hello exchanges HEL and ACK (OPC 10000-6, 7.1.2).
func (c *Client) hello(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	body, err := (&uacp.Hello{
		ReceiveBufSize: uint32(c.o.ReceiveBuffer),
		SendBufSize:    uint32(c.o.SendBuffer),
		MaxMessageSize: uint32(c.o.MaxMessage),
		EndpointURL:    c.o.Endpoint,
	}).Encode()
	if err != nil {
		return err
	}
	head := appendHead(nil, "HEL", 'F')
	putSize(head, len(head)+len(body))
	if _, err := c.conn.Write(append(head, body...)); err != nil {
		return fmt.Errorf("rawclient: sending HEL: %w", err)
	}
	frame, err := c.frame()
	if err != nil {
		return fmt.Errorf("rawclient: after HEL: %w", err)
	}
	switch kind := string(frame[:3]); kind {
	case "ACK":
	case "ERR":
		return refusalOf(frame)
	default:
		return fmt.Errorf("rawclient: the answer to HEL is %q", kind)
	}
	var ack uacp.Acknowledge
	if _, err := ack.Decode(frame[headSize:]); err != nil {
		return fmt.Errorf("rawclient: ACK: %w", err)
	}
	c.sendSize = min(c.o.SendBuffer, int(ack.ReceiveBufSize))
	const least = 8192 // OPC 10000-6, 7.1.2.3
	if c.sendSize < least || int(ack.SendBufSize) > c.o.ReceiveBuffer {
		return fmt.Errorf("rawclient: ACK with buffers of %d and %d bytes", ack.ReceiveBufSize, ack.SendBufSize)
	}
	return nil
}

// newOpening makes the suite of OPN messages, and finds out the server's certificate if need be.
func newOpening(ctx context.Context, o *Options) (*suite, error) {
	if o.Mode == ua.MessageSecurityModeNone {
		return newAsymmetric(o)
	}
	if o.ServerCertificate == nil {
		endpoints, err := Endpoints(ctx, *o)
		if err != nil {
			return nil, err
		}
		for _, e := range endpoints {
			if e.SecurityPolicyURI == o.Policy && e.SecurityMode == o.Mode {
				o.ServerCertificate = e.ServerCertificate
			}
		}
		if o.ServerCertificate == nil {
			return nil, fmt.Errorf("rawclient: the server has no endpoint with policy %s and mode %v", o.Policy, o.Mode)
		}
	}
	return newAsymmetric(o)
}

// Endpoints asks the server for its endpoints, on a connection of its own without security.
func Endpoints(ctx context.Context, o Options) ([]*ua.EndpointDescription, error) {
	o.Policy, o.Mode, o.Deliver = "", 0, nil
	c, err := Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	response, err := c.Do(ctx, &ua.GetEndpointsRequest{EndpointURL: o.Endpoint})
	if err != nil {
		return nil, err
	}
	r, ok := response.(*ua.GetEndpointsResponse)
	if !ok {
		return nil, fmt.Errorf("rawclient: the answer to GetEndpoints is %T", response)
	}
	return r.Endpoints, nil
}

// Conn is the connection, to look at or to break.
func (c *Client) Conn() net.Conn { return c.conn }

// Done is closed when the client has ended: nothing is delivered any more.
func (c *Client) Done() <-chan struct{} { return c.ended }

// Err is why the client has ended; nil before. An ERR message of the server is a *uacp.Error.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the channel with CLO, and returns when nothing of the client runs any more.
// Not to be called from Deliver. What is still in flight is dropped. While the server does not read
// it takes up to Options.WriteTimeout.
func (c *Client) Close() {
	if body, err := c.encode(&ua.CloseSecureChannelRequest{}, 0); err == nil {
		_ = c.send("CLO", c.nextID(), body)
	}
	c.stop(false)
	<-c.written
	c.Abort()
}

// Abort is Close without a word to the server.
func (c *Client) Abort() {
	c.fail(ErrClosed)
	<-c.ended
}

// Reset ends the connection with a TCP reset, if it is one over TCP.
func (c *Client) Reset() {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Abort()
}

// fail ends the client. The first reason counts.
func (c *Client) fail(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	_ = c.conn.Close()
	c.stop(true)
}

// thumbprint names the server's certificate in OPN messages.
func (c *Client) thumbprint() []byte {
	if c.o.Mode == ua.MessageSecurityModeNone {
		return nil
	}
	return uapolicy.Thumbprint(c.o.ServerCertificate)
}
