package rawclient

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uasc"
)

// pending is an OPN that waits for its response.
type pending struct {
	id    uint32
	nonce []byte
}

// Renew asks for a new token, which is used as soon as the response has come. The one before
// stays valid for what the server sends.
func (c *Client) Renew(ctx context.Context) error {
	return c.open(ctx, ua.SecurityTokenRequestTypeRenew)
}

// Lifetime is how long the newest token holds, as the server revised it; 0 without a channel.
func (c *Client) Lifetime() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.receiving[0] == nil {
		return 0
	}
	return c.receiving[0].lifetime
}

// Token is the id of the channel and of its newest token; 0 without a channel.
func (c *Client) Token() (channel, id uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.receiving[0] == nil {
		return 0, 0
	}
	return c.receiving[0].channel, c.receiving[0].id
}

func (c *Client) open(ctx context.Context, kind ua.SecurityTokenRequestType) error {
	c.renewing.Lock()
	defer c.renewing.Unlock()
	nonce, err := c.opening.MakeNonce()
	if err != nil {
		return err
	}
	id := c.nextID()
	body, err := c.encode(&ua.OpenSecureChannelRequest{
		RequestType:       kind,
		SecurityMode:      c.o.Mode,
		ClientNonce:       nonce,
		RequestedLifetime: uint32(c.o.Lifetime.Milliseconds()),
	}, id)
	if err != nil {
		return err
	}
	w, err := c.wait(id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.pending = &pending{id: id, nonce: nonce}
	c.mu.Unlock()
	if err := c.sendOpening(id, body); err != nil {
		c.forget(id)
		return err
	}
	r, err := c.await(ctx, id, w)
	if err == nil {
		_, err = r.Decode()
	}
	if err != nil {
		return fmt.Errorf("rawclient: opening the secure channel: %w", err)
	}
	return nil
}

var errNoOpening = errors.New("rawclient: OPN that nobody asked for")

func (c *Client) sendOpening(id uint32, body []byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.ready(); err != nil {
		return err
	}
	return c.appendOpening(id, body)
}

// opened takes the response to an OPN. The new token holds before the next chunk is read.
func (r *reader) opened(frame []byte) error {
	var h uasc.AsymmetricSecurityHeader
	n, err := h.Decode(frame[headSize+4:])
	if err != nil {
		return fmt.Errorf("rawclient: OPN: %w", err)
	}
	if h.SecurityPolicyURI != r.c.o.Policy || frame[3] != 'F' {
		return fmt.Errorf("rawclient: OPN chunk %q with policy %q", frame[3], h.SecurityPolicyURI)
	}
	plain, err := r.c.opening.unseal(frame, headSize+4+n)
	if err != nil {
		return err
	}
	id, body, err := r.sequenced(plain)
	if err != nil {
		return err
	}
	response, err := (Response{ID: id, Body: body}).Decode()
	if err == nil {
		err = r.c.install(id, binary.LittleEndian.Uint32(frame[headSize:]), response)
	} else if response != nil {
		err = nil // a refusal, which who waits hears
	}
	if err != nil {
		return err
	}
	r.c.deliver(Response{ID: id, Body: body})
	return nil
}

// install makes the keys of a new token, and uses them.
func (c *Client) install(id, channel uint32, response ua.Response) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	r, ok := response.(*ua.OpenSecureChannelResponse)
	if !ok || c.pending == nil || c.pending.id != id {
		return errNoOpening
	}
	if channel != r.SecurityToken.ChannelID || c.sending != nil && c.sending.channel != channel {
		return fmt.Errorf("rawclient: OPN for channel %d says %d", channel, r.SecurityToken.ChannelID)
	}
	s, err := newSymmetric(&c.o, c.pending.nonce, r.ServerNonce)
	if err != nil {
		return err
	}
	c.pending = nil
	t := &token{
		suite: s, channel: channel, id: r.SecurityToken.TokenID,
		lifetime: time.Duration(r.SecurityToken.RevisedLifetime) * time.Millisecond,
	}
	c.receiving[0], c.receiving[1] = t, c.receiving[0]
	// What waits to be written is protected already, so the change is between two messages.
	c.sending = t
	return nil
}
