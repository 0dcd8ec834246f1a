package mqtt

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestGatewaysComeApart: many gateways that lose the same broker in the same instant do not come
// back in step. After the first second no tenth of a second sees more than a few of them.
func TestGatewaysComeApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const gateways = 300
		var mu sync.Mutex
		var attempts []time.Duration
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for range gateways {
			b, err := Dial(Options{URL: "mqtt://x", Logger: quiet()})
			require.NoError(t, err)
			b.broker.connect = func(context.Context, string, string) (net.Conn, error) {
				mu.Lock()
				defer mu.Unlock()
				attempts = append(attempts, time.Since(began))
				return nil, errors.New("nobody is there")
			}
			running.Go(func() { b.answers.link.run(ctx) })
		}
		time.Sleep(20 * time.Second)
		cancel()
		running.Wait()
		busiest := map[bool]int{} // in a tenth of a second, before and after the first few seconds
		slices.Sort(attempts)
		for i, at := range attempts {
			n, _ := slices.BinarySearch(attempts[i:], at+100*time.Millisecond)
			late := at >= 5*time.Second
			busiest[late] = max(busiest[late], n)
		}
		require.Equal(t, gateways, busiest[false], "all at once when it is lost, and after that no more")
		require.Less(t, busiest[true], gateways/6)
		first, _ := slices.BinarySearch(attempts, 5*time.Millisecond)
		require.Equal(t, gateways, first)
		inStep, _ := slices.BinarySearch(attempts, 110*time.Millisecond)
		require.Less(t, inStep-first, gateways/5, "the first attempt after that is spread too")
		require.Greater(t, len(attempts), gateways*12)
		require.Less(t, len(attempts), gateways*25)
	})
}
