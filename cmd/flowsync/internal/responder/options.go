package responder

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// Options of a [Responder]. Address and Topics are required.
type Options struct {
	// Address of the broker, host:port.
	Address string
	// TLS, if not nil, is used on the connection.
	TLS *tls.Config
	// Username and Password, if the broker wants them.
	Username, Password string
	// Topics to answer on: node topics, request topics (…/treq) or topic filters.
	Topics []string
	// QoS of the subscriptions and of the answers: 0, 1 or 2.
	QoS byte

	// DelayMin and DelayMax bound how long an answer waits; each is drawn evenly between them.
	DelayMin, DelayMax time.Duration
	// Shares say what is done with how many of the requests.
	Shares Shares
	// LateBy is how long after the requester's deadline a late answer is sent.
	LateBy time.Duration
	// ErrorCode and ErrorMessage are those of the error member.
	ErrorCode    int
	ErrorMessage string
	// Value is the JSON text to answer with. nil: the request's own value.
	Value []byte
	// Shuffle sends answers that become due within 5 ms of one another in random order.
	Shuffle bool
	// Seed makes the script draw the same again, for the same requests in the same order.
	Seed uint64

	// MaxWaiting and MaxWaitingBytes bound the answers that wait. 0: 250 000 and 256 MiB.
	MaxWaiting      int
	MaxWaitingBytes int
	// Remember is how many ids are remembered to notice requests that come twice. 0: 262 144.
	Remember int
	// Logger hears of connections. nil: slog.Default().
	Logger *slog.Logger
}

const (
	defaultMaxWaiting      = 250_000
	defaultMaxWaitingBytes = 256 << 20
	defaultRemember        = 1 << 18

	maxDelay = time.Hour
	maxValue = 1 << 20
	// shuffleWindow is how long shuffling holds answers back to mix them.
	shuffleWindow = 5 * time.Millisecond
	// assumedTimeout is the requester's, when the request does not say.
	assumedTimeout = 2 * time.Second
)

// complete checks the options and fills in what is missing. The error lists all faults.
func (o Options) complete() (Options, error) {
	var errs []error
	if o.Address == "" {
		errs = append(errs, errors.New("no broker address is given"))
	}
	if len(o.Topics) == 0 {
		errs = append(errs, errors.New("no topic is given"))
	}
	for _, topic := range o.Topics {
		if err := mqtt.ValidateFilter(filterOf(topic)); err != nil {
			errs = append(errs, err)
		}
	}
	if o.QoS > 2 {
		errs = append(errs, fmt.Errorf("QoS %d, want 0, 1 or 2", o.QoS))
	}
	if o.DelayMin < 0 || o.DelayMax > maxDelay || o.DelayMin > o.DelayMax {
		errs = append(errs, fmt.Errorf("a delay of %v to %v, want 0s to %v, the shorter one first", o.DelayMin, o.DelayMax, maxDelay))
	}
	if o.LateBy < 0 || o.LateBy > maxDelay {
		errs = append(errs, fmt.Errorf("late by %v, want 0s to %v", o.LateBy, maxDelay))
	}
	errs = append(errs, o.Shares.check())
	switch {
	case len(o.Value) > maxValue:
		errs = append(errs, fmt.Errorf("the value has %d bytes, at most %d are sent", len(o.Value), maxValue))
	case o.Value != nil && !json.Valid(o.Value):
		errs = append(errs, errors.New("the value is not JSON: write such as 42, '\"text\"' or '{\"ok\":true}'"))
	}
	for _, count := range []int{o.MaxWaiting, o.MaxWaitingBytes, o.Remember} {
		if count < 0 {
			errs = append(errs, fmt.Errorf("a bound of %d, want a positive number or 0 for the default", count))
		}
	}
	o.fill()
	return o, errors.Join(errs...)
}

func (o *Options) fill() {
	if o.MaxWaiting == 0 {
		o.MaxWaiting = defaultMaxWaiting
	}
	if o.MaxWaitingBytes == 0 {
		o.MaxWaitingBytes = defaultMaxWaitingBytes
	}
	if o.Remember == 0 {
		o.Remember = defaultRemember
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
}
