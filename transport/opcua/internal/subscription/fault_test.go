package subscription

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFaultEndsOneSubscriptionOnly(t *testing.T) {
	faults := map[string]func(*subscription){
		"in a cycle":   func(s *subscription) { s.clocked[1] = nil },
		"in a message": func(s *subscription) { s.samples.ready = []*item{nil} },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				r := newRig(t, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				s := r.open("ann")
				broken, healthy := s.subscribe(), s.subscribe()
				sub := r.m.find(broken)
				sub.mu.Lock()
				fault(sub)
				sub.mu.Unlock()
				s.publish(2)
				time.Sleep(100 * ms)
				got := s.take()
				require.Len(t, got, 2)
				if got[0].SubscriptionID != broken {
					got[0], got[1] = got[1], got[0]
				}
				assert.Equal(t, ua.StatusBadInternalError, got[0].became())
				assert.Equal(t, healthy, got[1].SubscriptionID)
				assert.Nil(t, r.m.find(broken))
				assert.Equal(t, 1, bytes.Count(log.Bytes(), []byte("level=ERROR")))
			})
		})
	}
}

func TestAFaultWhileAMessageIsMadeKeepsTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		broken := s.subscribe()
		time.Sleep(100 * ms) // it is late
		sub := r.m.find(broken)
		sub.samples.ready = []*item{nil}
		s.publish(1)
		assert.Equal(t, ua.StatusBadInternalError, s.one().became())
	})
}

func TestAFaultInRespondDoesNotStopDispatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, Options{})
		s := r.open("ann")
		s.subscribe()
		s.Publish(&ua.PublishRequest{}, 0, always, func(*ua.PublishResponse, ua.StatusCode) { panic("a fault") })
		time.Sleep(100 * ms)
		synctest.Wait()
		s.publish(1)
		time.Sleep(300 * ms)
		assert.Equal(t, 400*ms, s.one().at)
	})
}
