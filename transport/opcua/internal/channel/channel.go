package channel

import (
	"crypto/rsa"
	"log/slog"
	"net"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Options of channels. Zero values of limits and times mean their defaults.
type Options struct {
	// Certificate (DER) and Key are the server's; nil: only the policy None.
	Certificate []byte
	Key         *rsa.PrivateKey
	// Allowed says which policy and mode a channel may have. None with mode None is always let
	// through here, because clients ask for endpoints that way; what else such a channel may do is the handler's to judge.
	Allowed func(policyURI string, mode ua.MessageSecurityMode) bool
	// Trust judges a client's certificate; it may block. nil: all are refused.
	Trust func(der []byte) (ua.StatusCode, error)
	// Handler takes the messages.
	Handler Handler
	// Guard judges the body of OPN and CLO messages before they are decoded. Required.
	Guard func(body []byte) error

	ReceiveBuffer, SendBuffer int           // bytes of a chunk; 65 535
	MaxMessage                int           // bytes of a request; 2 MiB
	MaxChunks                 int           // of a request; 512
	MaxQueue                  int           // bytes of responses that may wait to be written; 16 MiB
	HandshakeTimeout          time.Duration // from accept to the first OPN; 5 s
	WriteTimeout              time.Duration // 10 s
	MinLifetime, MaxLifetime  time.Duration // of a token; 3 s (what tests of renewal use), 1 h
	Logger                    *slog.Logger
}

// Handler takes what clients send.
type Handler interface {
	// Handle is called on the connection's reader with each MSG body, in order, one at a time.
	// The body is the handler's from then on. An error that is a ua.StatusCode (or wraps one)
	// ends the connection with that code in an ERR message.
	Handle(c *Channel, requestID uint32, body []byte) error
	// Closed is called once, after the last Handle: nothing can be sent any more.
	Closed(c *Channel)
}

// Server makes channels. It has no goroutines of its own.
type Server struct{}

// NewServer judges the options.
func NewServer(o Options) (*Server, error) { panic("not written") }

// Serve runs one connection until it ends and closes it. It starts one further goroutine, which
// has ended when it returns.
func (s *Server) Serve(conn net.Conn) { panic("not written") }

// Channel is a connection with its secure channel. Methods may be called from any goroutine.
type Channel struct{}

// ID is the secure channel id, unique in the process and never 0.
func (c *Channel) ID() uint32 { panic("not written") }

// Policy is the URI of the security policy.
func (c *Channel) Policy() string { panic("not written") }

// Mode is the security mode.
func (c *Channel) Mode() ua.MessageSecurityMode { panic("not written") }

// ClientCertificate is the client's certificate, DER; nil with the policy None.
func (c *Channel) ClientCertificate() []byte { panic("not written") }

// EndpointURL is what the client said in its HEL.
func (c *Channel) EndpointURL() string { panic("not written") }

// LocalAddr and RemoteAddr are those of the connection.
func (c *Channel) LocalAddr() net.Addr { panic("not written") }

// RemoteAddr is where the client is.
func (c *Channel) RemoteAddr() net.Addr { panic("not written") }

// Send hands a message body (type id and response) to the writer. It never blocks, and owns body from
// then on. When the channel is closed or its queue is full it does nothing more than close it.
func (c *Channel) Send(requestID uint32, body []byte) { panic("not written") }

// Close ends the connection, after an ERR message with the status if it is Bad: what still waits to be
// written is written within the write deadline if flush is set, dropped otherwise. It does not block.
func (c *Channel) Close(status ua.StatusCode, flush bool) { panic("not written") }
