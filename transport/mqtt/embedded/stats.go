package embedded

import "sync/atomic"

// Stats are the counters of a [Broker] since Start. Clients and bytes can fall, nothing else.
type Stats struct {
	Clients          int64  // connections of clients, now
	RetainedBytes    int64  // what retained messages take, now
	BacklogBytes     int64  // what waits for clients, to be written and to be acknowledged, now
	Requests         uint64 // requests handed over
	Expired          uint64 // requests that had ended before they were handed over, not sent
	NoSubscriber     uint64 // requests that nobody was subscribed to, of nodes that fail fast, not handed over
	Answers          uint64 // messages on answer topics
	Dropped          uint64 // messages that were not delivered to one of their subscribers
	HandlersDropped  uint64 // messages that found the queue of the handlers full
	NotRetained      uint64 // retained messages above Options.MaxRetained: delivered, not kept
	SlowClients      uint64 // clients disconnected because they did not read or acknowledge, or too much waited for all
	OversizedPackets uint64 // clients disconnected because of a packet above Options.MaxPacket
	RefusedClients   uint64 // connections above Options.MaxClients
}

type counters struct {
	clients                                atomic.Int64
	requests, expired, answers             atomic.Uint64
	noSubscriber                           atomic.Uint64
	dropped, handlersDropped, notRetained  atomic.Uint64
	slowClients, oversizedPackets, refused atomic.Uint64
}

// Stats returns the counters. They are read one by one, not at one instant.
func (b *Broker) Stats() Stats {
	c := &b.counters
	return Stats{
		Clients:          c.clients.Load(),
		RetainedBytes:    b.retained.bytes(),
		BacklogBytes:     b.budget.held.Load(),
		Requests:         c.requests.Load(),
		Expired:          c.expired.Load(),
		NoSubscriber:     c.noSubscriber.Load(),
		Answers:          c.answers.Load(),
		Dropped:          c.dropped.Load() + uint64(atomic.LoadInt64(&b.server.Info.InflightDropped)),
		HandlersDropped:  c.handlersDropped.Load(),
		NotRetained:      c.notRetained.Load(),
		SlowClients:      c.slowClients.Load(),
		OversizedPackets: c.oversizedPackets.Load(),
		RefusedClients:   c.refused.Load(),
	}
}
