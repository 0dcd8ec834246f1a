package opcua_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

var soak = flag.Duration("opcua.soak", 3*time.Second, "how long TestSoak offers load")

// TestSoak: 100 sessions whose tokens live for 3 s and are renewed every 2 s make 500 Calls a
// second in all, each held for up to half a second. Every result is compared with its own input.
//
//	go test -race -run TestSoak -opcua.soak=5m -timeout 15m
func TestSoak(t *testing.T) {
	const sessions, each, lifetime, renewal = 100, 200 * time.Millisecond, 3 * time.Second, 2 * time.Second
	var method *opcua.Node
	h := build(t, func(h *house, o *opcua.Options) { method = echo(h, o) })
	var cancel context.CancelFunc
	h.ctx, cancel = context.WithTimeout(context.Background(), *soak+patience)
	t.Cleanup(cancel)
	h.respond(method, func(r *mem.Request) {
		time.AfterFunc(rand.N(500*time.Millisecond), func() {
			if err := r.Answer(r.Value); err != nil {
				t.Error(err)
			}
		})
	})
	var s soaked
	var running sync.WaitGroup
	end := time.After(*soak)
	stop := make(chan struct{})
	for number := range sessions {
		c, err := rawclient.Dial(h.ctx, rawclient.Options{Endpoint: h.address, Lifetime: lifetime})
		require.NoError(t, err)
		t.Cleanup(c.Close)
		_, err = c.Login(h.ctx, rawclient.Identity{}, time.Minute)
		require.NoError(t, err)
		require.Equal(t, lifetime, c.Lifetime())
		running.Go(func() {
			s.every(stop, each, func(n int) {
				running.Go(func() { s.call(h, c, fmt.Sprintf("session %d, call %d", number, n)) })
			})
		})
		running.Go(func() { s.every(stop, renewal, func(int) { s.renew(h, c) }) })
	}
	<-end
	close(stop)
	running.Wait()
	t.Logf("%v: %d calls, %d renewals, %d lost, %d wrong", *soak, s.calls.Load(), s.renewals.Load(), s.lost.Load(), s.wrong.Load())
	require.Positive(t, s.calls.Load())
	require.Positive(t, s.renewals.Load())
	require.Zero(t, s.lost.Load()+s.wrong.Load(), s.first())
	require.Zero(t, h.engine.Held())
}

// soaked counts what came of it.
type soaked struct {
	calls, renewals, lost, wrong atomic.Int64
	noted                        atomic.Pointer[string] // the first thing that went wrong
}

func (s *soaked) first() string {
	if text := s.noted.Load(); text != nil {
		return *text
	}
	return ""
}

// every calls f again and again until stop is closed.
func (s *soaked) every(stop <-chan struct{}, interval time.Duration, f func(n int)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-ticker.C:
			f(n)
		}
	}
}

func (s *soaked) call(h *house, c *rawclient.Client, text string) {
	s.calls.Add(1)
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	defer cancel()
	response, err := c.Do(ctx, call("Press", "Press.Ask", text))
	if err != nil {
		s.note(&s.lost, "%s: %v", text, err)
		return
	}
	result := response.(*ua.CallResponse).Results[0]
	if result.StatusCode != ua.StatusOK {
		s.note(&s.lost, "%s: %v", text, result.StatusCode)
	} else if got := result.OutputArguments[0].Value(); got != text {
		s.note(&s.wrong, "%s: %v", text, got)
	}
}

func (s *soaked) renew(h *house, c *rawclient.Client) {
	s.renewals.Add(1)
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	defer cancel()
	if err := c.Renew(ctx); err != nil {
		s.note(&s.lost, "renewal: %v", err)
	}
}

func (s *soaked) note(counter *atomic.Int64, format string, args ...any) {
	counter.Add(1)
	text := fmt.Sprintf(format, args...)
	s.noted.CompareAndSwap(nil, &text)
}
