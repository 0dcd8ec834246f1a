package compare

import (
	"errors"
	"log/slog"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/flowsync-go/flowsync/bench"
)

// sketchEmbedded is the sketch with the broker mochi inside the process, as its inline client.
func sketchEmbedded(bench.Config) (bench.Server, error) {
	b := broker.New(&broker.Options{InlineClient: true, Logger: slog.New(slog.DiscardHandler)})
	if err := b.AddHook(new(bench.Everybody), nil); err != nil {
		return bench.Server{}, err
	}
	listener := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := b.AddListener(listener); err != nil {
		return bench.Server{}, err
	}
	if err := b.Serve(); err != nil {
		return bench.Server{}, err
	}
	m := newMatcher(func(payload []byte) {
		_ = b.Publish(bench.EchoTopic+"/treq", append([]byte(nil), payload...), false, 0) // the broker keeps it
	})
	receive := func(_ *broker.Client, _ packets.Subscription, p packets.Packet) { m.answer(p.Payload) }
	if err := b.Subscribe(bench.EchoTopic+"/tres", 1, receive); err != nil {
		return bench.Server{}, err
	}
	address, stop, err := m.serve()
	return bench.Server{Address: address, Broker: listener.Address(), Stop: func() error {
		return errors.Join(stop(), b.Close())
	}}, err
}
