package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// Buses are publishings of this project's bus: by connections, size of the payload in bytes, and QoS.
func Buses(connections, payloads, qos []int) (all []Publishing) {
	for _, n := range connections {
		for _, payload := range payloads {
			for _, q := range qos {
				all = append(all, Publishing{
					Name:    fmt.Sprintf("connections=%d/payload=%d/qos=%d", n, payload, q),
					Payload: payload, QoS: q, Window: *window / 4,
					Dial: func(address string, p Publishing) (Publisher, error) { return dialBus(address, n, p) },
				})
			}
		}
	}
	return all
}

// busPublisher publishes requests of nodes, which are pinned to connections.
type busPublisher struct {
	engine *core.Engine
	bus    *mqtt.Bus
	next   atomic.Uint64
	nodes  []*core.Node
	value  []byte
}

// nodesByConnection is how many nodes there are for each connection, so that none is without.
const nodesByConnection = 8

func dialBus(address string, connections int, p Publishing) (_ *busPublisher, err error) {
	b := &busPublisher{value: p.Value()}
	b.bus, err = mqtt.Dial(mqtt.Options{URL: "mqtt://" + address, Connections: connections, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.engine, err = core.New(b.bus, core.Options{}); err != nil {
		return nil, err
	}
	for i := range connections * nodesByConnection {
		node, err := b.engine.AddNode(core.NodeOptions{Name: fmt.Sprint(i), Topic: fmt.Sprintf("services/bench/%02d", i), QoS: byte(p.QoS)})
		if err != nil {
			return nil, err
		}
		b.nodes = append(b.nodes, node)
	}
	b.bus.Bind(agreeing{}) // instead of the engine: nothing is held, everything is sent
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	return b, b.bus.Start(ctx)
}

// Publish implements [Publisher].
func (b *busPublisher) Publish() (bool, error) {
	n := b.next.Add(1)
	now := time.Now()
	var id core.ID
	for i := range 8 {
		id[i] = byte(n >> (8 * i))
	}
	err := b.bus.Publish(&core.Request{
		ID: id, Node: b.nodes[n%uint64(len(b.nodes))], Value: b.value,
		Timestamp: now.UnixMilli(), Timeout: time.Hour, Deadline: now.Add(time.Hour),
		Properties: []core.Property{{Name: "http-method", Value: "POST"}, {Name: "http-path", Value: Echo}},
	})
	if errors.Is(err, core.ErrShed) {
		return false, nil
	}
	return err == nil, err
}

// Written implements [Publisher].
func (b *busPublisher) Written() (bytes, writes uint64) {
	s := b.bus.Stats()
	return s.BytesWritten, s.Batches
}

// Close implements [Publisher].
func (b *busPublisher) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	err := b.bus.Close(ctx)
	if b.engine != nil {
		err = errors.Join(err, b.engine.Close())
	}
	return err
}

// agreeing is a sink that agrees to everything.
type agreeing struct{}

// Sent implements [core.Sink].
func (agreeing) Sent(core.ID) bool { return true }

// Resolve implements [core.Sink].
func (agreeing) Resolve(core.Answer) bool { return true }

// Fail implements [core.Sink].
func (agreeing) Fail(core.ID, error) bool { return true }
