package transporttest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

func TestMain(m *testing.M) {
	if fault != "" {
		transporttest.SetPatience(time.Second)
	}
	goleak.VerifyTestMain(m)
}

// fault is what the transports of this process do wrong: nothing, unless it is a child of
// TestSuitesFindFaults.
var fault = os.Getenv(faultVariable)

func TestBus(t *testing.T) {
	transporttest.Bus(t, func(t *testing.T) transporttest.BusRig {
		rig := newMemRig(t)
		rig.bus = &brokenBus{Bus: rig.mem, fault: fault}
		return rig
	})
}

// A bus that carries payloads only passes too.
func TestPlainBus(t *testing.T) {
	transporttest.Bus(t, func(t *testing.T) transporttest.BusRig { return plainRig{newMemRig(t)} })
}

func TestServer(t *testing.T) {
	transporttest.Server(t, func(t *testing.T, engine *core.Engine, nodes []*core.Node) transporttest.ServerRig {
		server := newLineServer(t, engine, nodes)
		server.fault = fault
		return server
	})
}

// memRig is the bus of transport/mem and its far side, which are the same.
type memRig struct {
	mem *mem.Bus
	bus core.Bus // what the suite sees of it
}

func newMemRig(t *testing.T) *memRig {
	bus, err := mem.New(mem.Options{})
	require.NoError(t, err)
	return &memRig{bus, bus}
}

func (r *memRig) Bus() core.Bus                                    { return r.bus }
func (r *memRig) Start(context.Context) error                      { return nil }
func (r *memRig) Peer(context.Context) (transporttest.Peer, error) { return memPeer{r.mem}, nil }
func (r *memRig) Close(context.Context) error                      { return r.mem.Close() }
func (r *memRig) Break() error                                     { r.mem.Disconnect(); return nil }
func (r *memRig) Mend() error                                      { r.mem.Connect(); return nil }
func (r *memRig) Connected(context.Context) error                  { return nil }
func (r *memRig) Features() transporttest.Features {
	return transporttest.Features{Properties: true, Retain: true, Wait: true, NoSubscriber: true}
}

type memPeer struct{ bus *mem.Bus }

func (p memPeer) Subscribe(topic string, handler func(transporttest.Message)) error {
	_, err := p.bus.Subscribe(topic, func(m *mem.Message) { handler(transporttest.Message(*m)) })
	return err
}

func (p memPeer) Publish(m transporttest.Message) error { return p.bus.Send(mem.Message(m)) }

// plainRig hides what a bus can do beyond carrying payloads.
type plainRig struct{ transporttest.BusRig }

func (plainRig) Features() transporttest.Features { return transporttest.Features{MaxPayload: 4 << 10} }
