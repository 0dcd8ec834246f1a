package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Publisher hands messages to a connection to a broker.
type Publisher interface {
	// Publish hands over a message. False: too many wait already.
	Publish() (bool, error)
	// Written is how many bytes went to sockets so far, and in how many writes.
	Written() (bytes, writes uint64)
	// Close waits until all is written.
	Close() error
}

// Publishing is how much of what a publisher of this process gets rid of, to a broker that only
// drains, in another process.
type Publishing struct {
	Name    string // in tables
	Payload int    // bytes of a value
	QoS     int
	Window  time.Duration
	// Dial connects to the broker, host:port.
	Dial func(address string, p Publishing) (Publisher, error)
}

// publishers is how many goroutines publish.
const publishers = 8

// Title implements [Workload].
func (p Publishing) Title() string { return p.Name }

// open starts a broker.
func (p Publishing) open(*Campaign) (subject, error) {
	sink, err := StartProcess(Config{Server: SinkName})
	return &publishing{p, sink}, err
}

type publishing struct {
	workload Publishing
	sink     *Process
}

// Close ends the broker.
func (s *publishing) Close() error { return s.sink.Close() }

func (*publishing) profile(string) (func() error, error) {
	return nil, errors.New("bench: a publisher runs in this process: profile it with -cpuprofile")
}

// run publishes for a window, as fast as it goes, and then one by one.
func (s *publishing) run(ctx context.Context) (f Figures, err error) {
	p, err := s.workload.Dial(s.sink.Address, s.workload)
	if err != nil {
		return f, err
	}
	closed := false
	defer func() {
		if !closed {
			err = errors.Join(err, p.Close())
		}
	}()
	idle, err := s.idle(ctx, p)
	if err != nil {
		return f, err
	}
	before, err := s.seen()
	if err != nil {
		return f, err
	}
	published, err := s.flood(ctx, p, &f)
	if err != nil {
		return f, err
	}
	closed = true
	if err := p.Close(); err != nil {
		return f, err
	}
	after, err := s.settled(before.Packets + published)
	f.Lost = max(0, int(before.Packets+published-after.Packets))
	f.Duplicate = max(0, int(after.Packets-before.Packets-published))
	f.More = append(f.More, Figure{"idle-p50-µs", micros(idle.P50)}, Figure{"idle-p99-µs", micros(idle.P99)})
	return f, err
}

// flood publishes for the window. What it counts is what was handed over, which at the end waits by
// a bounded part only.
func (s *publishing) flood(ctx context.Context, p Publisher, f *Figures) (published int64, err error) {
	var count atomic.Int64
	var running sync.WaitGroup
	errs := make([]error, publishers)
	ctx, cancel := context.WithTimeout(ctx, s.workload.Window)
	defer cancel()
	before, start := s.written(p), time.Now()
	cpu, err := processCPU(os.Getpid())
	if err != nil {
		return 0, err
	}
	for i := range errs {
		running.Go(func() {
			for ctx.Err() == nil && errs[i] == nil {
				var ok bool
				if ok, errs[i] = p.Publish(); ok {
					count.Add(1)
				} else if errs[i] == nil {
					_ = wait(ctx, fullWait, nil) // at the end it is over too
				}
			}
		})
	}
	running.Wait()
	now, err := processCPU(os.Getpid())
	after := s.written(p)
	f.Answers, f.Window, f.CPU = int(count.Load()), time.Since(start), now-cpu
	f.More = append(f.More, Figure{"cpu-ns/request", float64(f.CPU) / float64(max(1, f.Answers))},
		Figure{"bytes/write", float64(after.bytes-before.bytes) / float64(max(1, after.writes-before.writes))})
	return count.Load(), errors.Join(append(errs, err)...)
}

// fullWait is how long a publisher waits when too much waits already.
const fullWait = 200 * time.Microsecond

type written struct{ bytes, writes uint64 }

func (*publishing) written(p Publisher) (w written) {
	w.bytes, w.writes = p.Written()
	return w
}

func (s *publishing) seen() (n seen, err error) { return n, s.sink.ask("seen", &n) }

// settled waits until the broker has seen so many packets, or no more come.
func (s *publishing) settled(packets int64) (n seen, err error) {
	for deadline := time.Now().Add(drainTime); n.Packets < packets && time.Now().Before(deadline); {
		if n, err = s.seen(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// idlePublishes is how many messages are published one by one.
const idlePublishes = 200

// idle publishes one by one, and says how long it takes until the bytes are at the other end. Both
// processes read the same clock.
func (s *publishing) idle(ctx context.Context, p Publisher) (Times, error) {
	var before, arrived []int64
	if err := s.sink.ask("arrivals", &before); err != nil {
		return Times{}, err
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	sent := make([]int64, idlePublishes)
	for i := range sent {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return Times{}, ctx.Err()
		}
		sent[i] = time.Now().UnixNano()
		if ok, err := p.Publish(); err != nil || !ok {
			return Times{}, errors.Join(err, errors.New("bench: an idle publisher takes no message"))
		}
	}
	for deadline := time.Now().Add(drainTime); len(arrived) < len(sent) && time.Now().Before(deadline); {
		var more []int64
		if err := s.sink.ask("arrivals", &more); err != nil {
			return Times{}, err
		}
		arrived = append(arrived, more...)
	}
	if len(arrived) != len(sent) {
		return Times{}, fmt.Errorf("bench: %d of %d messages have arrived", len(arrived), len(sent))
	}
	times := make([]time.Duration, len(sent))
	for i := range times {
		times[i] = time.Duration(arrived[i] - sent[i])
	}
	return timesOf(times), nil
}

// Value is a JSON text of the size of the payload.
func (p Publishing) Value() []byte {
	const frame = len(`{"pad":""}`)
	return []byte(`{"pad":"` + strings.Repeat("x", max(0, p.Payload-frame)) + `"}`)
}
