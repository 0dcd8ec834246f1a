package mqtt

import "sync/atomic"

// Stats are the counters of a [Bus] since Dial. Only BacklogBytes and Waiting can fall.
type Stats struct {
	Reconnects           uint64 // connections made again after they were lost
	ConnectFailures      uint64 // attempts to connect that failed
	Disconnects          uint64 // connections that the broker ended with a DISCONNECT
	SessionsLost         uint64 // reconnects after which the broker had forgotten our subscriptions
	Takeovers            uint64 // connections that another client with the same id took over
	RefusedSubscriptions uint64 // topic filters that the broker refused, each time it did
	PacketsWritten       uint64 // PUBLISH packets handed to a socket
	BytesWritten         uint64 // bytes handed to a socket
	Batches              uint64 // writes to a socket
	BacklogBytes         int64  // bytes that wait to be written, or for a connection, now
	Waiting              int64  // requests that wait for a connection, now
	RefusedRequests      uint64 // requests that the broker refused (PUBACK or PUBREC of 0x80 or more)
	NoSubscriber         uint64 // requests of which the broker said that nobody is subscribed (0x10)
	Expired              uint64 // requests that had ended before their turn came, not sent
	Unsent               uint64 // requests that ended unsent because their connection was lost
	Dropped              uint64 // messages of PublishMessage that waited when their connection was lost, or that were refused
}

type counters struct {
	reconnects, sessionsLost, takeovers, refused atomic.Uint64
	packets, bytes, batches                      atomic.Uint64
	expired, unsent, dropped                     atomic.Uint64
	connectFailures, disconnects                 atomic.Uint64
	refusedRequests, noSubscriber                atomic.Uint64
	backlog, waiting                             atomic.Int64
}

// Stats returns the counters. They are read one by one, not at one instant.
func (b *Bus) Stats() Stats {
	c := &b.counters
	return Stats{
		Reconnects:           c.reconnects.Load(),
		ConnectFailures:      c.connectFailures.Load(),
		Disconnects:          c.disconnects.Load(),
		SessionsLost:         c.sessionsLost.Load(),
		Takeovers:            c.takeovers.Load(),
		RefusedSubscriptions: c.refused.Load(),
		PacketsWritten:       c.packets.Load(),
		BytesWritten:         c.bytes.Load(),
		Batches:              c.batches.Load(),
		BacklogBytes:         c.backlog.Load(),
		Waiting:              c.waiting.Load(),
		RefusedRequests:      c.refusedRequests.Load(),
		NoSubscriber:         c.noSubscriber.Load(),
		Expired:              c.expired.Load(),
		Unsent:               c.unsent.Load(),
		Dropped:              c.dropped.Load(),
	}
}
