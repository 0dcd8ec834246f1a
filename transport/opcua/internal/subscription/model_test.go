package subscription

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// model says which values an item of one node must report: what it held at the item's
// sampling instants, if that differs from the last one.
type model struct {
	interval time.Duration // 0: each change
	holds    float64
	want     []any
	instant  time.Duration // the next one
}

func (m *model) sample() {
	if v := any(m.holds); len(m.want) == 0 || m.want[len(m.want)-1] != v {
		m.want = append(m.want, v)
	}
}

// until samples at the instants up to a time, the last one included.
func (m *model) until(t time.Duration) {
	for m.interval > 0 && m.instant <= t {
		m.sample()
		m.instant += m.interval
	}
}

func (m *model) store(t time.Duration, v float64) {
	m.until(t)
	if m.holds = v; m.interval == 0 {
		m.sample()
	}
}

// TestClientGetsWhatWasSampled: with queues that are large enough, each value that was sampled
// arrives exactly once and in order, whatever the client does: few requests, messages that are
// lost and fetched again, acknowledgements in any order, changes of the publishing mode and
// transfers.
func TestClientGetsWhatWasSampled(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { runModel(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

// follower is a client that puts the messages in order.
type follower struct {
	*session
	rand    *rand.Rand
	id      uint32
	next    uint32 // sequence number
	unacked []uint32
	got     map[uint32][]any // by client handle
}

func runModel(t *testing.T, random *rand.Rand) {
	r := newRig(t, Options{})
	f := &follower{session: r.open("ann"), rand: random, next: 1, got: map[uint32][]any{}}
	f.id = f.subscribe(func(r *ua.CreateSubscriptionRequest) {
		r.MaxNotificationsPerPublish, r.RequestedLifetimeCount = random.Uint32N(5), 10_000
	})
	models := []*model{{interval: 0}, {interval: 10 * ms}, {interval: 30 * ms}, {interval: 100 * ms}, {interval: 170 * ms}}
	r.store(speed, 0.0)
	for i, m := range models {
		f.monitor(f.id, want(speed, func(r *createRequest) {
			p := r.RequestedParameters
			p.ClientHandle, p.SamplingInterval, p.QueueSize = uint32(i), toMilliseconds(m.interval), 1000
		}))
		m.sample()
		m.instant = m.interval
	}
	opened := f.opened
	for range 400 {
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		if random.IntN(2) == 0 {
			v := float64(random.IntN(5))
			for _, m := range models {
				m.store(time.Since(opened), v)
			}
			r.store(speed, v)
		}
		f.act(t)
	}
	f.finish(t)
	for i, m := range models {
		m.until(time.Since(opened))
		assert.Equal(t, m.want, f.got[uint32(i)], m.interval)
	}
}

// act does one of the things that clients do.
func (f *follower) act(t *testing.T) {
	switch n := f.rand.IntN(20); {
	case n < 6:
		f.send()
	case n < 7:
		_, status := f.SetPublishingMode(&ua.SetPublishingModeRequest{
			SubscriptionIDs: []uint32{f.id}, PublishingEnabled: f.rand.IntN(3) > 0})
		require.Equal(t, ua.StatusOK, status)
	case n < 8:
		f.receive(t)
		heir := f.rig.open("ann")
		require.Equal(t, ua.StatusOK, heir.transferTo(false, f.id)[0].StatusCode)
		f.receive(t)
		f.session.Close(true)
		f.session = heir
	}
	f.receive(t)
}

// send sends a Publish request with some acknowledgements.
func (f *follower) send() {
	r := &ua.PublishRequest{}
	f.rand.Shuffle(len(f.unacked), func(i, j int) { f.unacked[i], f.unacked[j] = f.unacked[j], f.unacked[i] })
	for range f.rand.IntN(len(f.unacked) + 1) {
		r.SubscriptionAcknowledgements = append(r.SubscriptionAcknowledgements,
			&ua.SubscriptionAcknowledgement{SubscriptionID: f.id, SequenceNumber: f.unacked[0]})
		f.unacked = f.unacked[1:]
	}
	f.request(r, 0)
}

// receive takes what came; now and then a message is lost, and fetched again.
func (f *follower) receive(t *testing.T) {
	for _, m := range f.take() {
		for _, result := range m.resultsOf() {
			require.Equal(t, ua.StatusOK, result)
		}
		if m.status != ua.StatusOK || m.changes() == nil {
			continue
		}
		message := m.NotificationMessage
		if f.rand.IntN(4) == 0 {
			again, status := f.Republish(&ua.RepublishRequest{SubscriptionID: f.id, RetransmitSequenceNumber: message.SequenceNumber})
			require.Equal(t, ua.StatusOK, status)
			message = again.NotificationMessage
		}
		require.Equal(t, f.next, message.SequenceNumber)
		f.next++
		f.unacked = append(f.unacked, message.SequenceNumber)
		for _, c := range (reply{PublishResponse: &ua.PublishResponse{NotificationMessage: message}}).changes() {
			require.Zero(t, c.Value.Status)
			f.got[c.ClientHandle] = append(f.got[c.ClientHandle], c.Value.Value.Value())
		}
	}
}

func (r reply) resultsOf() []ua.StatusCode {
	if r.PublishResponse == nil {
		return nil
	}
	return r.Results
}

// finish gets all that is still to come, at the end of a cycle of all intervals.
func (f *follower) finish(t *testing.T) {
	_, status := f.SetPublishingMode(&ua.SetPublishingModeRequest{SubscriptionIDs: []uint32{f.id}, PublishingEnabled: true})
	require.Equal(t, ua.StatusOK, status)
	const all = 100 * 3 * 17 * ms
	time.Sleep(all - time.Since(f.opened)%all)
	for range 25 {
		time.Sleep(100 * ms)
		for range 60 {
			f.send()
		}
		f.receive(t)
	}
}
