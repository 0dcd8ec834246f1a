package responder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

const (
	minBackoff    = 100 * time.Millisecond
	maxBackoff    = 2 * time.Second
	keepAlive     = 30 // seconds
	packetTimeout = 10 * time.Second
	maxPacket     = 1 << 20
)

// keep connects again and again until ctx ends.
func (r *Responder) keep(ctx context.Context) {
	for attempt := 0; ctx.Err() == nil; attempt++ {
		subscribed, err := r.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if subscribed {
			attempt = 0
		}
		wait := min(minBackoff<<min(attempt, 10), maxBackoff)
		r.options.Logger.Warn("no connection to the broker, trying again", "broker", r.options.Address, "in", wait.String(), "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// session is one connection from its beginning to its end; the error says why it ended.
func (r *Responder) session(ctx context.Context) (subscribed bool, err error) {
	c, err := dial(ctx, r.options.Address, r.options.TLS)
	if err != nil {
		return false, err
	}
	ended := make(chan error, 1)
	end := func(err error) {
		select {
		case ended <- err:
		default:
		}
	}
	client := paho.NewClient(paho.ClientConfig{
		Conn:          c,
		PacketTimeout: packetTimeout,
		OnClientError: end,
		OnServerDisconnect: func(d *paho.Disconnect) {
			end(fmt.Errorf("the broker ended the connection with reason 0x%02x", d.ReasonCode))
		},
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){r.receive},
	})
	if err := r.introduce(ctx, client); err != nil {
		_ = c.Close() // why it failed is returned
		return false, err
	}
	defer farewell(c, client)
	if err := r.subscribe(ctx, client); err != nil {
		return false, err
	}
	r.client.Store(client)
	defer r.client.Store(nil)
	r.counters.connects.Add(1)
	r.subscribed()
	r.options.Logger.Info("responding", "broker", r.options.Address, "topics", r.filters())
	select {
	case <-ctx.Done():
	case <-client.Done():
		select {
		case err = <-ended:
		default:
			err = errors.New("the connection was lost")
		}
	}
	return true, err
}

// farewell says goodbye and returns when nothing of the client runs any more. paho's own
// Disconnect takes the session away from its reading goroutine while that may be at work on a
// packet (a data race in v0.23), so here the reading ends first, and the rest by itself.
func farewell(c *conn, client *paho.Client) {
	_, _ = packets.NewControlPacket(packets.DISCONNECT).WriteTo(c) // the broker may be gone already
	_ = c.SetReadDeadline(time.Unix(1, 0))                         // likewise
	<-client.Done()
}

// introduce sends the CONNECT. There is no session that outlives the connection: what was
// asked while this responder was away is for its requester to ask again.
func (r *Responder) introduce(ctx context.Context, client *paho.Client) error {
	ctx, cancel := context.WithTimeout(ctx, packetTimeout)
	defer cancel()
	size := uint32(maxPacket)
	connect := &paho.Connect{
		CleanStart: true, KeepAlive: keepAlive,
		Properties: &paho.ConnectProperties{MaximumPacketSize: &size},
	}
	if r.options.Username != "" {
		connect.Username, connect.UsernameFlag = r.options.Username, true
	}
	if r.options.Password != "" {
		connect.Password, connect.PasswordFlag = []byte(r.options.Password), true
	}
	ack, err := client.Connect(ctx, connect)
	if ack != nil && ack.ReasonCode >= packets.ConnackUnspecifiedError {
		return fmt.Errorf("the broker refused the connection with reason 0x%02x: %w", ack.ReasonCode, err)
	}
	return err
}

// subscribe asks for the topics. Retained requests are left alone: whoever asked is gone.
func (r *Responder) subscribe(ctx context.Context, client *paho.Client) error {
	ctx, cancel := context.WithTimeout(ctx, packetTimeout)
	defer cancel()
	var wanted []paho.SubscribeOptions
	for _, filter := range r.filters() {
		wanted = append(wanted, paho.SubscribeOptions{Topic: filter, QoS: r.options.QoS, RetainHandling: 2})
	}
	ack, err := client.Subscribe(ctx, &paho.Subscribe{Subscriptions: wanted})
	if ack != nil {
		for i, reason := range ack.Reasons {
			if reason >= 0x80 && i < len(wanted) {
				return fmt.Errorf("the broker refused the subscription to %q with reason 0x%02x", wanted[i].Topic, reason)
			}
		}
	}
	return err
}

func (r *Responder) filters() []string {
	filters := make([]string, len(r.options.Topics))
	for i, topic := range r.options.Topics {
		filters[i] = filterOf(topic)
	}
	return filters
}
