package subscription

import (
	"log/slog"
	"time"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
)

// Options bound what clients may ask for. Zero values mean the defaults.
type Options struct {
	Space                    *space.Space
	MaxSubscriptions         int           // in all; 1000
	MaxPerOwner              int           // 100
	MaxItems                 int           // in all; 100 000
	MaxItemsPerSubscription  int           // 10 000
	MaxQueueSize             int           // of an item; 1000
	MaxQueued                int           // values in the queues of all items, beyond one each; 1 000 000
	MaxQueuedBytes           int           // of long values in them, but the newest of each; 256 MiB
	MaxPublishRequests       int           // that wait, of an owner; 100
	MaxNotifications         int           // in one Publish response; 10 000
	MaxRetransmission        int           // kept messages of a subscription; 2 × MaxPublishRequests
	MaxRetained              int           // notifications in the kept messages of all subscriptions; 1 000 000
	MaxRetainedBytes         int           // of long values in those; 256 MiB
	MinInterval, MaxInterval time.Duration // publishing; 10 ms, 1 h
	MaxLifetime              time.Duration // of a subscription nobody publishes for, but 3 intervals are always allowed; 4 h
	Logger                   *slog.Logger
}

func (o Options) withDefaults() Options {
	defaults(&o.MaxSubscriptions, 1000)
	defaults(&o.MaxPerOwner, 100)
	defaults(&o.MaxItems, 100_000)
	defaults(&o.MaxItemsPerSubscription, 10_000)
	defaults(&o.MaxQueueSize, 1000)
	defaults(&o.MaxQueued, 1_000_000)
	defaults(&o.MaxPublishRequests, 100)
	defaults(&o.MaxNotifications, 10_000)
	defaults(&o.MaxRetransmission, 2*o.MaxPublishRequests)
	defaults(&o.MaxRetained, 1_000_000)
	defaults(&o.MaxQueuedBytes, 256<<20)
	defaults(&o.MaxRetainedBytes, 256<<20)
	defaults(&o.MinInterval, 10*time.Millisecond)
	defaults(&o.MaxInterval, time.Hour)
	defaults(&o.MaxLifetime, 4*time.Hour)
	o.MaxInterval = max(o.MinInterval, o.MaxInterval)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func defaults[T int | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}
