package rawclient

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Send sends a request and returns its id; the response is delivered. A request without header
// gets one. In a header that it has, what is not set is filled in: the session's token, the time,
// and the request id as request handle.
func (c *Client) Send(request ua.Request) (id uint32, err error) {
	id = c.nextID()
	body, err := c.encode(request, id)
	if err != nil {
		return id, err
	}
	return id, c.send("MSG", id, body)
}

// SendBody sends a body as it is. It may be reused after the call.
func (c *Client) SendBody(body []byte) (id uint32, err error) {
	id = c.nextID()
	return id, c.send("MSG", id, body)
}

// Do sends a request and waits for its response. A ServiceFault is an error that wraps its
// ua.StatusCode. When ctx ends first, the response is delivered if it still comes.
func (c *Client) Do(ctx context.Context, request ua.Request) (ua.Response, error) {
	id := c.nextID()
	body, err := c.encode(request, id)
	if err != nil {
		return nil, err
	}
	r, err := c.exchange(ctx, id, body)
	if err != nil {
		return nil, err
	}
	return r.Decode()
}

// DoBody is Do for a body as it is.
func (c *Client) DoBody(ctx context.Context, body []byte) (ua.Response, error) {
	r, err := c.exchange(ctx, c.nextID(), body)
	if err != nil {
		return nil, err
	}
	return r.Decode()
}

func (c *Client) exchange(ctx context.Context, id uint32, body []byte) (Response, error) {
	w, err := c.wait(id)
	if err != nil {
		return Response{}, err
	}
	if err := c.send("MSG", id, body); err != nil {
		c.forget(id)
		return Response{}, err
	}
	return c.await(ctx, id, w)
}

func (c *Client) await(ctx context.Context, id uint32, w chan Response) (Response, error) {
	select {
	case r := <-w:
		return r, nil
	case <-ctx.Done():
		c.forget(id)
		return Response{}, fmt.Errorf("rawclient: waiting for response %d: %w", id, ctx.Err())
	}
}

// Encode returns the body of a request, as Send would send it, but for the request handle, which
// is 0 if the header has none.
func (c *Client) Encode(request ua.Request) ([]byte, error) { return c.encode(request, 0) }

func (c *Client) encode(request ua.Request, handle uint32) ([]byte, error) {
	number := ua.ServiceTypeID(request)
	if number == 0 {
		return nil, fmt.Errorf("rawclient: %T is no service", request)
	}
	h := ua.RequestHeader{}
	if given := request.Header(); given != nil {
		h = *given
	}
	if h.AuthenticationToken == nil {
		h.AuthenticationToken = c.authentication()
	}
	if h.Timestamp.IsZero() {
		h.Timestamp = time.Now()
	}
	if h.RequestHandle == 0 {
		h.RequestHandle = handle
	}
	if h.AdditionalHeader == nil {
		h.AdditionalHeader = ua.NewExtensionObject(nil)
	}
	given := request.Header()
	request.SetHeader(&h)
	defer request.SetHeader(given)
	b, err := ua.Encode(request)
	if err != nil {
		return nil, fmt.Errorf("rawclient: encoding %T: %w", request, err)
	}
	// A four-byte node id in namespace 0.
	return append([]byte{1, 0, byte(number), byte(number >> 8)}, b...), nil
}

func (c *Client) authentication() *ua.NodeID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

// Template is a body that is sent again and again.
type Template struct {
	body   []byte
	handle int // where the request handle is
}

// NewTemplate encodes a request for the session that the client has now.
func (c *Client) NewTemplate(request ua.Request) (*Template, error) {
	body, err := c.encode(request, 0)
	if err != nil {
		return nil, err
	}
	session := c.authentication()
	if h := request.Header(); h != nil && h.AuthenticationToken != nil {
		session = h.AuthenticationToken
	}
	b, err := session.Encode()
	if err != nil {
		return nil, err
	}
	const typeID, timestamp = 4, 8
	return &Template{body: body, handle: typeID + len(b) + timestamp}, nil
}

// Index returns where in the body a text is, which must be there once: a place to patch. Else it
// is -1.
func (t *Template) Index(text []byte) int {
	if bytes.Count(t.body, text) != 1 {
		return -1
	}
	return bytes.Index(t.body, text)
}

// Len is how long the body is in bytes.
func (t *Template) Len() int { return len(t.body) }

// SendTemplate sends a copy of the body, with the request id as request handle. patch, if it is
// not nil, may change the copy, but not its length; it is called during the call, under a lock:
// it must not call the client.
func (c *Client) SendTemplate(t *Template, patch func(body []byte, id uint32)) (id uint32, err error) {
	id = c.nextID()
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.ready(); err != nil {
		return id, err
	}
	c.body = append(c.body[:0], t.body...)
	binary.LittleEndian.PutUint32(c.body[t.handle:], id)
	if patch != nil {
		patch(c.body, id)
	}
	return id, c.appendMessage("MSG", id, c.body)
}
