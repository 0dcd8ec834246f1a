package mqtt

import "sync/atomic"

// Stats are the counters of a [Bus] since Dial. Only BacklogBytes can fall.
type Stats struct {
	Reconnects           uint64 // connections made again after they were lost
	SessionsLost         uint64 // reconnects after which the broker had forgotten our subscriptions
	Takeovers            uint64 // connections that another client with the same id took over
	RefusedSubscriptions uint64 // topic filters that the broker refused, each time it did
	PacketsWritten       uint64 // PUBLISH packets handed to a socket
	BytesWritten         uint64 // bytes handed to a socket
	Batches              uint64 // writes to a socket
	BacklogBytes         int64  // bytes that wait to be written, now
	Expired              uint64 // requests that had ended before their turn came, not sent
	Unsent               uint64 // requests that waited when their connection was lost, not sent
	Dropped              uint64 // messages of PublishMessage that waited when their connection was lost, or that were refused
}

type counters struct {
	reconnects, sessionsLost, takeovers, refused atomic.Uint64
	packets, bytes, batches                      atomic.Uint64
	expired, unsent, dropped                     atomic.Uint64
	backlog                                      atomic.Int64
}

// Stats returns the counters. They are read one by one, not at one instant.
func (b *Bus) Stats() Stats {
	c := &b.counters
	return Stats{
		Reconnects:           c.reconnects.Load(),
		SessionsLost:         c.sessionsLost.Load(),
		Takeovers:            c.takeovers.Load(),
		RefusedSubscriptions: c.refused.Load(),
		PacketsWritten:       c.packets.Load(),
		BytesWritten:         c.bytes.Load(),
		Batches:              c.batches.Load(),
		BacklogBytes:         c.backlog.Load(),
		Expired:              c.expired.Load(),
		Unsent:               c.unsent.Load(),
		Dropped:              c.dropped.Load(),
	}
}
