package mem_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	transporttest.Bus(t, func(t *testing.T) transporttest.BusRig {
		bus, err := mem.New(mem.Options{})
		require.NoError(t, err)
		return rig{bus}
	})
}

// rig is a bus and its far side, which are the same.
type rig struct{ bus *mem.Bus }

func (r rig) Bus() core.Bus                                    { return r.bus }
func (r rig) Start(context.Context) error                      { return nil }
func (r rig) Peer(context.Context) (transporttest.Peer, error) { return peer(r), nil }
func (r rig) Close(context.Context) error                      { return r.bus.Close() }
func (r rig) Break() error                                     { r.bus.Disconnect(); return nil }
func (r rig) Mend() error                                      { r.bus.Connect(); return nil }
func (r rig) Connected(context.Context) error                  { return nil }
func (r rig) Features() transporttest.Features {
	return transporttest.Features{Properties: true, Retain: true, Wait: true, NoSubscriber: true, MaxPayload: 4 << 20}
}

type peer struct{ bus *mem.Bus }

func (p peer) Subscribe(topic string, handler func(transporttest.Message)) error {
	_, err := p.bus.Subscribe(topic, func(m *mem.Message) { handler(transporttest.Message(*m)) })
	return err
}

func (p peer) Publish(m transporttest.Message) error { return p.bus.Send(mem.Message(m)) }
