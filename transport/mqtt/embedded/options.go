package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
)

// DefaultAddr is where the broker listens if nothing is said.
const DefaultAddr = "127.0.0.1:1883"

const (
	defaultMaxInFlight = 100_000
	maxMaxInFlight     = 1 << 24
	defaultMaxPacket   = 1 << 20
	minMaxPacket       = 1 << 10
	maxMaxPacket       = 256 << 20
	defaultMaxClients  = 1000
	maxMaxClients      = 100_000
	defaultMaxBacklog  = 64 << 20
	defaultMaxBacklogs = 256 << 20
	defaultMaxRetained = 64 << 20
)

// Options of a broker. The zero value is usable.
type Options struct {
	// Addr is host:port to listen on. Empty: DefaultAddr. Port 0: any free one.
	Addr string
	// AnyPort takes the next free port if that of Addr is busy.
	AnyPort bool
	// MaxInFlight is how many requests may be on their way at once: so many messages may wait for
	// one client, and for the handlers. Give it what the engine has. 0: 100 000.
	MaxInFlight int
	// MaxPacket is the largest packet a client may send, and the largest payload that is
	// published, in bytes. 0: 1 MiB. At least 1 KiB, at most 256 MiB.
	MaxPacket int
	// MaxClients is how many clients may be connected, and as many sessions may outlive their
	// connection. 0: 1000.
	MaxClients int
	// MaxBacklog is how many bytes may wait to be written to one client, how many more may wait for
	// his acknowledgement (of QoS 1 and 2), and how many for the handlers. A client above it is
	// disconnected. 0: 64 MiB. At least MaxPacket.
	MaxBacklog int
	// MaxBacklogTotal is how many bytes may wait for all clients together, to be written and to be
	// acknowledged, those of sessions without a connection included. Above it, the client for whom
	// most waits is disconnected and loses it. 0: 256 MiB. At least MaxBacklog.
	MaxBacklogTotal int
	// MaxRetained is how many bytes of retained messages are kept, topics included. What is above
	// is delivered, but not retained. 0: 64 MiB.
	MaxRetained int
	// Logger hears of what was lost or refused, and at debug level of clients coming and going.
	// nil: nobody does.
	Logger *slog.Logger
}

func (o *Options) complete() error {
	setDefault(&o.MaxInFlight, defaultMaxInFlight)
	setDefault(&o.MaxPacket, defaultMaxPacket)
	setDefault(&o.MaxClients, defaultMaxClients)
	setDefault(&o.MaxBacklog, max(defaultMaxBacklog, o.MaxPacket))
	setDefault(&o.MaxBacklogTotal, max(defaultMaxBacklogs, o.MaxBacklog))
	setDefault(&o.MaxRetained, defaultMaxRetained)
	if o.Addr == "" {
		o.Addr = DefaultAddr
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	const most = 1 << 30
	errs := []error{
		within("MaxInFlight", o.MaxInFlight, 1, maxMaxInFlight),
		within("MaxPacket", o.MaxPacket, minMaxPacket, maxMaxPacket),
		within("MaxClients", o.MaxClients, 1, maxMaxClients),
		within("MaxBacklog", o.MaxBacklog, o.MaxPacket, most),
		within("MaxBacklogTotal", o.MaxBacklogTotal, max(1, o.MaxBacklog), math.MaxInt),
		within("MaxRetained", o.MaxRetained, 1, most),
	}
	if _, _, err := net.SplitHostPort(o.Addr); err != nil {
		errs = append(errs, fmt.Errorf("embedded: Addr is %q, want host:port: %w", o.Addr, err))
	}
	return errors.Join(errs...)
}

func setDefault(n *int, to int) {
	if *n == 0 {
		*n = to
	}
}

func within(name string, n, least, most int) error {
	if n < least || n > most {
		return fmt.Errorf("embedded: %s is %d, want %d to %d", name, n, least, most)
	}
	return nil
}
