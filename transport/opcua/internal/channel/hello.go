package channel

import (
	"math"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uacp"
)

const (
	maxURL   = 4096                            // OPC 10000-6, 7.1.2.3
	maxHello = headerSize + 5*4 + 4 + 2*maxURL // beyond, it is no HEL with a URL too long
)

// agreement is what HEL and ACK settled.
type agreement struct {
	version uint32 // of the client
	url     string
	receive int // bytes of a chunk that the client sends
	send    int // bytes of a chunk that it can take
	message int // bytes of a response that it can take; 0: any number
	chunks  int // of a response that it can take; 0: any number
}

// hello reads HEL and answers ACK.
func (c *Channel) hello() error {
	f, err := peek(c.in)
	if err == nil {
		err = f.check(maxHello, "HEL")
	}
	if err != nil {
		return err
	}
	b := make([]byte, f.size)
	if err := f.read(c.in, b); err != nil {
		return err
	}
	agreed, err := c.server.agree(b[headerSize:])
	if err != nil {
		return err
	}
	c.agreed = agreed
	ack, err := (&uacp.Acknowledge{
		ReceiveBufSize: uint32(agreed.receive),
		SendBufSize:    uint32(agreed.send),
		MaxMessageSize: uint32(c.server.MaxMessage),
		MaxChunkCount:  uint32(c.server.MaxChunks),
	}).Encode()
	if err != nil {
		return err
	}
	c.out.add(item{kind: itemRaw, body: framed("ACKF", ack)})
	return nil
}

// agree judges a HEL. A newer version of the protocol than ours (0) is fine: the client then
// speaks ours.
func (s *Server) agree(b []byte) (*agreement, error) {
	var h uacp.Hello
	if _, err := h.Decode(b); err != nil {
		return nil, refuse(ua.StatusBadDecodingError, "HEL is too short")
	}
	if len(h.EndpointURL) > maxURL {
		return nil, refuse(ua.StatusBadTCPEndpointURLInvalid, "the endpoint URL is longer than %d bytes", maxURL)
	}
	if h.ReceiveBufSize < smallestBuffer || h.SendBufSize < smallestBuffer {
		return nil, refuse(ua.StatusBadConnectionRejected, "buffers must have %d bytes or more", smallestBuffer)
	}
	return &agreement{
		version: h.Version,
		url:     h.EndpointURL,
		receive: int(min(uint32(s.ReceiveBuffer), h.SendBufSize)),
		send:    int(min(uint32(s.SendBuffer), h.ReceiveBufSize)),
		message: int(min(h.MaxMessageSize, math.MaxInt32)),
		chunks:  int(min(h.MaxChunkCount, math.MaxInt32)),
	}, nil
}
