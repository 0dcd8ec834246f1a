package mqtt

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// recorder is a sink that keeps what it hears.
type recorder struct {
	mu     sync.Mutex // guards all below
	refuse map[core.ID]bool
	sent   []core.ID
	failed map[core.ID]error
}

func (r *recorder) Sent(id core.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, id)
	return !r.refuse[id]
}

func (r *recorder) Resolve(core.Answer) bool { return false }

func (r *recorder) Fail(id core.ID, err error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed[id] = err
	return true
}

// wire is a connection over a pipe: a write lasts until the far end has read all of it.
type wire struct {
	*conn
	t    *testing.T
	sink *recorder
	far  net.Conn
	rt   *route
	r    core.Request
}

func newWire(t *testing.T) *wire {
	w := &wire{t: t, sink: &recorder{refuse: map[core.ID]bool{}, failed: map[core.ID]error{}}}
	w.r = newRequest(t, core.NodeOptions{Topic: "a", Timeout: time.Hour}, core.Call{Value: []byte(`1`)})
	w.rt = newRoute(w.r.Node)
	near, far := net.Pipe()
	w.far = far
	checked, err := Options{URL: "mqtt://x", Logger: quiet()}.complete()
	require.NoError(t, err)
	w.conn = newConn(near, &checked, w.sink, new(counters))
	w.setLimits(limits{packet: maxMaxPacket, qos: 2, retain: true, receiveMaximum: 10})
	w.start(func() {}, nil)
	return w
}

// ask publishes a request with an id that ends in n, and waits until the writer has it or waits.
func (w *wire) ask(n byte) core.ID {
	w.r.ID = core.ID{0: 1, 15: n}
	require.NoError(w.t, w.request(w.rt, &w.r))
	synctest.Wait()
	return w.r.ID
}

// written reads what one write has brought.
func (w *wire) written() []*packets.ControlPacket {
	buf := make([]byte, 1<<20)
	n, err := w.far.Read(buf)
	require.NoError(w.t, err)
	in := bytes.NewReader(buf[:n])
	var all []*packets.ControlPacket
	for in.Len() > 0 {
		p, err := packets.ReadPacket(in)
		require.NoError(w.t, err)
		all = append(all, p)
	}
	synctest.Wait()
	return all
}

func (w *wire) requireRequests(got []*packets.ControlPacket, ids ...core.ID) {
	w.t.Helper()
	require.Len(w.t, got, len(ids))
	for i, p := range got {
		require.Equal(w.t, ids[i][:], p.Content.(*packets.Publish).Properties.CorrelationData)
	}
}

// TestOneWriteForMany: at once when idle, everything that gathered meanwhile in one write, and
// what paho writes before that.
func TestOneWriteForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		defer w.Close()
		first := w.ask(0)
		var more []core.ID
		for n := range byte(20) {
			more = append(more, w.ask(n+1))
		}
		_, err := packets.NewControlPacket(packets.PINGREQ).WriteTo(w.conn)
		require.NoError(t, err)
		require.Len(t, w.sink.sent, 1, "the others are not handed over yet")
		w.requireRequests(w.written(), first)
		require.Equal(t, packets.PINGREQ, w.written()[0].Type)
		w.requireRequests(w.written(), more...)
		require.EqualValues(t, 3, w.counters.batches.Load())
		require.Zero(t, w.counters.backlog.Load())
	})
}

// TestDroppedBeforeTheSocket: what Sent refuses leaves no gap.
func TestDroppedBeforeTheSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		defer w.Close()
		first := w.ask(0)
		var kept []core.ID
		for n := range byte(9) {
			if id := w.ask(n + 1); n%3 == 1 {
				kept = append(kept, id)
			} else {
				w.sink.refuse[id] = true
			}
		}
		w.requireRequests(w.written(), first)
		w.requireRequests(w.written(), kept...)
		require.EqualValues(t, 6, w.counters.expired.Load())
		require.Zero(t, w.counters.backlog.Load())
	})
}

// TestUnsentFails: when the connection ends, what was handed over is left alone, what was not is
// reported, and nothing is accepted any more.
func TestUnsentFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		sent, waiting := w.ask(0), w.ask(1)
		require.NoError(t, w.far.Close())
		synctest.Wait()
		require.Equal(t, []core.ID{sent}, w.sink.sent)
		require.Len(t, w.sink.failed, 1)
		for _, err := range []error{w.sink.failed[waiting], w.request(w.rt, &w.r)} {
			require.ErrorIs(t, err, core.ErrNotSent)
			require.EqualError(t, err, "request was not published: the connection to the broker has ended")
		}
		_, err := packets.NewControlPacket(packets.PINGREQ).WriteTo(w.conn)
		require.Error(t, err)
		require.EqualValues(t, 1, w.counters.unsent.Load())
		require.Zero(t, w.counters.backlog.Load())
		require.NoError(t, w.Close())
	})
}

// TestCloseIsBounded: a broker that reads nothing does not hold it up.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		defer w.far.Close()
		w.ask(0)
		waiting := w.ask(1)
		began := time.Now()
		require.NoError(t, w.Close())
		require.LessOrEqual(t, time.Since(began), lastWords)
		require.ErrorIs(t, w.sink.failed[waiting], core.ErrNotSent)
		require.NoError(t, w.Close(), "again")
	})
}

// TestBlocksAreBounded: of a long backlog only one block at a time is handed over.
func TestBlocksAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		defer w.Close()
		w.ask(0)
		size := w.waiting
		total := 3 * blockSize / size
		for range total {
			w.ask(1)
		}
		w.written()
		for seen := 0; seen < total; {
			require.LessOrEqual(t, len(w.sink.sent)-1-seen, blockSize/size+1, "handed over and not yet written")
			seen += len(w.written())
		}
		require.Len(t, w.sink.sent, total+1)
		require.GreaterOrEqual(t, w.counters.batches.Load(), uint64(4))
	})
}

// TestExpiredMakesRoom: wherever it waits, also behind what cannot expire; what stays keeps its
// order.
func TestExpiredMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		defer w.Close()
		w.setLimits(limits{packet: maxMaxPacket, qos: 2, receiveMaximum: 0})
		w.backlog, w.rt.qos = 2000, 1
		fill := func(timeout time.Duration) (accepted int) {
			for w.r.Deadline = time.Now().Add(timeout); ; accepted++ {
				if err := w.request(w.rt, &w.r); err != nil {
					require.ErrorIs(t, err, core.ErrShed)
					return accepted
				}
			}
		}
		require.NoError(t, w.message(&Message{Topic: "m", QoS: 1}))
		long := w.ask(1)
		w.r.ID = core.ID{0: 1, 15: 2}
		first := fill(time.Second)
		require.Greater(t, first, 3)
		time.Sleep(time.Second)
		w.r.ID = core.ID{0: 1, 15: 3}
		require.Equal(t, first, fill(time.Second), "as much as has expired")
		require.EqualValues(t, first, w.counters.expired.Load())
		time.Sleep(time.Second)
		w.r.Deadline = time.Now().Add(time.Second)
		last := w.ask(4)
		require.EqualValues(t, 2*first, w.counters.expired.Load())

		w.setLimits(limits{packet: maxMaxPacket, qos: 2, receiveMaximum: 10})
		w.control(nil) // look again
		got := w.written()
		require.Equal(t, "m", got[0].Content.(*packets.Publish).Topic)
		w.requireRequests(got[1:], long, last)
	})
}

// TestDrainEndsWithTheConnection: no acknowledgement comes any more. It is an error only if
// something was not written.
func TestDrainEndsWithTheConnection(t *testing.T) {
	for name, more := range map[string]bool{"all written": false, "some not written": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				defer w.Close()
				w.rt.qos = 1
				w.ask(0)
				w.written() // and not acknowledged
				if more {
					w.ask(1)
					w.ask(2)
				}
				drained := make(chan error, 1)
				go func() { drained <- w.drain(t.Context()) }()
				synctest.Wait()
				require.Empty(t, drained)
				w.stop(errors.New("gone"))
				require.NoError(t, w.far.Close())
				for range 2 { // and when it has ended before
					synctest.Wait()
					require.Len(t, drained, 1)
					if err := <-drained; more {
						require.ErrorContains(t, err, "not everything was written to broker mqtt://x:1883: gone")
					} else {
						require.NoError(t, err)
					}
					drained <- w.drain(t.Context())
				}
			})
		})
	}
}

// TestTakingTurns: a backlog of QoS 1 that the broker lets through does not hold up QoS 0, nor
// the other way round.
func TestTakingTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWire(t)
		defer w.Close()
		w.setLimits(limits{packet: maxMaxPacket, qos: 2, receiveMaximum: 65535})
		payload := make([]byte, blockSize)
		w.ask(0) // the writer is busy from now on
		for range 4 {
			for qos := range byte(2) {
				require.NoError(t, w.message(&Message{Topic: "m", Payload: payload, QoS: qos}))
			}
		}
		w.written()
		var before byte = 255
		for range 8 {
			got := w.written()
			require.Len(t, got, 1)
			qos := got[0].Content.(*packets.Publish).QoS
			require.NotEqual(t, before, qos)
			before = qos
		}
	})
}
