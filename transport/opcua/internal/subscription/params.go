package subscription

import (
	"math"
	"time"
)

// Counts are of publishing cycles.
const (
	defaultKeepAlive   = 10 // for clients that leave it to the server
	lifetimeKeepAlives = 3  // the lifetime is at least so many keep-alive times (5.14.2.2)
)

// maxSampling bounds what is remembered, not what makes sense.
const maxSampling = 24 * time.Hour

// minClocked is the fastest sampling of values that must be computed for each sample.
const minClocked = 100 * time.Millisecond

// params are the revised parameters of a subscription.
type params struct {
	interval         time.Duration
	lifetime         uint32
	keepAlive        uint32
	maxNotifications int
	priority         uint8
}

// revise makes parameters that the server can keep of those asked for (5.14.2.2).
func (o *Options) revise(interval float64, lifetime, keepAlive, maxNotifications uint32, priority uint8) params {
	p := params{priority: priority, maxNotifications: o.MaxNotifications}
	p.interval = milliseconds(interval, o.MinInterval, o.MaxInterval)
	longest := max(int64(o.MaxLifetime/p.interval), lifetimeKeepAlives)
	longest = min(longest, math.MaxUint32)
	if keepAlive == 0 {
		keepAlive = defaultKeepAlive
	}
	p.keepAlive = uint32(min(int64(keepAlive), longest/lifetimeKeepAlives))
	p.lifetime = uint32(min(max(int64(lifetime), lifetimeKeepAlives*int64(p.keepAlive)), longest))
	if maxNotifications != 0 {
		p.maxNotifications = int(min(int64(maxNotifications), int64(o.MaxNotifications)))
	}
	return p
}

// milliseconds turns a Duration of the wire into one within bounds. What is not a number, zero
// or negative means the fastest.
func milliseconds(ms float64, low, high time.Duration) time.Duration {
	switch d := ms * float64(time.Millisecond); {
	case math.IsNaN(d) || d <= float64(low):
		return low
	case d >= float64(high):
		return high
	default:
		return time.Duration(d)
	}
}

// toMilliseconds is a Duration of the wire.
func toMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sampling revises a sampling interval (7.21): negative means the publishing interval as it is
// now, zero means each change. fastest is the node's own minimum.
func sampling(ms float64, publishing, fastest time.Duration) time.Duration {
	if ms < 0 {
		return max(publishing, fastest)
	}
	return milliseconds(ms, fastest, max(maxSampling, fastest))
}
