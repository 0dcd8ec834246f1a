package bench

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// Held is what it takes to hold requests.
type Held struct {
	N          int
	Bytes      float64 // of the server's heap by request that is held; the responder's copy is in it
	Goroutines int     // in the server while they are held
	Before     int     // goroutines before
	// Reads one after the other over a session of their own: beside the held ones, and without.
	Reads, Alone Times
	Faults
}

// Hold has a server hold n requests on one session, reads beside them, and has them answered.
func (c *Campaign) Hold(ctx context.Context, workload, n, reads int) (h Held, err error) {
	s, ok := c.subjects[workload].(*opcuaSubject)
	if !ok {
		return h, fmt.Errorf("bench: %s is not asked over a session", c.workloads[workload].Title())
	}
	w, p := s.workload, s.process
	h.N = n
	reader, err := connect(ctx, p.Address, w.Security, c.keys, nil)
	if err != nil {
		return h, err
	}
	defer reader.Close()
	l, err := newLoop(ctx, p.Address, w, c.keys)
	if err != nil {
		return h, err
	}
	defer l.client.Close()
	if err := l.warm(); err != nil {
		return h, err
	}
	if h.Alone, err = readState(ctx, reader, reads); err != nil {
		return h, err
	}
	if err := h.hold(p, l); err != nil {
		return h, err
	}
	if h.Reads, err = readState(ctx, reader, reads); err != nil {
		return h, err
	}
	if _, err := p.tell(command{Do: "release"}); err != nil {
		return h, err
	}
	h.Faults, err = l.drain()
	return h, err
}

// warm asks a few times, so that what is made once is there.
func (l *loop) warm() error {
	if err := l.start(100, false); err != nil {
		return err
	}
	faults, err := l.drain()
	if err == nil && faults != (Faults{}) {
		err = fmt.Errorf("bench: warming up: %+v", faults)
	}
	return err
}

func (h *Held) hold(p *Process, l *loop) error {
	before, err := p.tell(command{Do: "memory"})
	if err != nil {
		return err
	}
	if _, err := p.tell(command{Do: "hold"}); err != nil {
		return err
	}
	if err := l.start(h.N, false); err != nil {
		return err
	}
	if _, err := p.tell(command{Do: "held", N: h.N}); err != nil {
		return err
	}
	after, err := p.tell(command{Do: "memory"})
	h.Bytes = float64(after.Heap-before.Heap) / float64(h.N)
	h.Before, h.Goroutines = before.Goroutines, after.Goroutines
	return err
}

// readState reads Server_ServerStatus_State again and again, and gives how long it took.
func readState(ctx context.Context, c *rawclient.Client, reads int) (Times, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*Patience)
	defer cancel()
	times := make([]time.Duration, reads)
	for i := range times {
		start := time.Now()
		response, err := c.Do(ctx, &ua.ReadRequest{
			TimestampsToReturn: ua.TimestampsToReturnBoth,
			NodesToRead: []*ua.ReadValueID{{
				NodeID: ua.NewNumericNodeID(0, 2259), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{},
			}},
		})
		times[i] = time.Since(start)
		if err != nil {
			return Times{}, err
		}
		const running = int32(0)
		if r, ok := response.(*ua.ReadResponse); !ok || len(r.Results) != 1 || r.Results[0].Value.Value() != running {
			return Times{}, errors.New("bench: the server does not say that it is running")
		}
	}
	return timesOf(times), nil
}

// ReportHeld has a workload's server hold n requests and reports what that takes.
func ReportHeld(b *testing.B, w OPCUA, n int) {
	b.Helper()
	c, err := NewCampaign(w)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}()
	const reads = 500
	h, err := c.Hold(b.Context(), 0, n, reads)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(h.Bytes, "heap-B/held")
	b.ReportMetric(float64(h.Goroutines), "goroutines")
	b.ReportMetric(float64(h.Before), "goroutines-before")
	b.ReportMetric(millis(h.Reads.P50), "read-p50-ms")
	b.ReportMetric(millis(h.Reads.P99), "read-p99-ms")
	b.ReportMetric(millis(h.Reads.Max), "read-max-ms")
	b.ReportMetric(millis(h.Alone.P50), "read-alone-p50-ms")
	b.ReportMetric(millis(h.Alone.P99), "read-alone-p99-ms")
	h.report(b)
}
