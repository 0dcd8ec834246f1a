package responder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Command is "flowsync respond". Shares and times are read from text in Validate, to report all
// that is wrong at once.
type Command struct {
	Topics []string `arg:"" name:"topic" help:"Node topic, its request topic (…/treq), or a filter such as 'services/shop/#'."`

	Broker             string `name:"broker" default:"mqtt://127.0.0.1:1883" placeholder:"URL" help:"The MQTT 5 broker: mqtt://host:1883 or mqtts://host:8883."`
	BrokerUser         string `name:"broker-user" placeholder:"NAME" help:"User name at the broker. The password comes from --broker-password-file or from FLOWSYNC_BROKER_PASSWORD."`
	BrokerPasswordFile string `name:"broker-password-file" placeholder:"FILE" help:"File whose first line is the password at the broker."`
	BrokerCA           string `name:"broker-ca" placeholder:"FILE" help:"Certificates (PEM) to trust for mqtts:// instead of the system's."`
	BrokerCert         string `name:"broker-cert" placeholder:"FILE" help:"Client certificate (PEM) for mqtts://. With --broker-key."`
	BrokerKey          string `name:"broker-key" placeholder:"FILE" help:"Private key of --broker-cert (PEM)."`

	Value        string `name:"value" placeholder:"JSON" help:"Answer with this value. Otherwise with the request's own."`
	Delay        string `name:"delay" default:"0s" placeholder:"TIME" help:"How long each answer waits, such as 20ms, or 5ms-50ms for a random time."`
	Shuffle      bool   `name:"shuffle" help:"Send answers that are due within 5 ms of one another in random order."`
	QoS          int    `name:"qos" default:"0" placeholder:"N" help:"QoS of subscriptions and answers: 0, 1 or 2."`
	Error        string `name:"error" default:"0%" placeholder:"SHARE" help:"Requests to answer with an error."`
	ErrorCode    int    `name:"error-code" default:"500" placeholder:"N" help:"The code of errors."`
	ErrorMessage string `name:"error-message" default:"refused by flowsync respond" placeholder:"TEXT" help:"The message of errors."`
	Duplicate    string `name:"duplicate" default:"0%" placeholder:"SHARE" help:"Requests to answer twice."`
	Late         string `name:"late" default:"0%" placeholder:"SHARE" help:"Requests to answer after the requester's deadline."`
	LateBy       string `name:"late-by" default:"200ms" placeholder:"TIME" help:"How long after the deadline."`
	WrongID      string `name:"wrong-id" default:"0%" placeholder:"SHARE" help:"Requests to answer with another id."`
	Garbage      string `name:"garbage" default:"0%" placeholder:"SHARE" help:"Requests to answer with what is not JSON."`
	IDOnly       string `name:"id-only" default:"0%" placeholder:"SHARE" help:"Requests to answer with the id and nothing else."`
	Silence      string `name:"silence" default:"0%" placeholder:"SHARE" help:"Requests to leave without an answer."`
	Retained     string `name:"retained" default:"0%" placeholder:"SHARE" help:"Requests to answer with a message that the broker keeps."`
	Seed         string `name:"seed" placeholder:"N" help:"Draw the same acts again as a run with this seed. Otherwise random; the report has it."`
	Report       string `name:"report" default:"0s" placeholder:"TIME" help:"Print what was done so far, as a line of JSON, this often. 0s: at the end only."`

	options Options
	every   time.Duration
}

// Help is what is said below the one line.
func (*Command) Help() string {
	return "A share is a percentage of the requests, such as 5% or 0.1%; what the shares leave is answered plainly. Example: flowsync respond --delay 5ms-50ms --error 5% --silence 1% services/shop/order"
}

// Validate reads what was given. The error lists everything that is wrong.
func (c *Command) Validate() error {
	var faults faults
	o := Options{Topics: c.Topics, Username: c.BrokerUser, ErrorCode: c.ErrorCode, ErrorMessage: c.ErrorMessage, Shuffle: c.Shuffle}
	if c.QoS < 0 || c.QoS > 2 {
		faults.add("qos", fmt.Errorf("%d is none, want 0, 1 or 2", c.QoS))
	} else {
		o.QoS = byte(c.QoS)
	}
	if c.Value != "" {
		o.Value = []byte(c.Value)
	}
	var err error
	o.DelayMin, o.DelayMax, err = parseDelay(c.Delay)
	faults.add("delay", err)
	o.LateBy, err = parseTime(c.LateBy)
	faults.add("late-by", err)
	c.every, err = parseTime(c.Report)
	faults.add("report", err)
	c.shares(&o, &faults)
	o.Seed = rand.Uint64()
	if c.Seed != "" {
		o.Seed, err = strconv.ParseUint(c.Seed, 10, 64)
		if err != nil {
			faults.add("seed", fmt.Errorf("%q is not a whole number from 0 to 2^64-1", c.Seed))
		}
	}
	c.broker(&o, &faults)
	if len(faults) == 0 {
		o, err = o.complete()
		c.options = o
		return err
	}
	return errors.Join(faults...)
}

// faults is what is wrong with the flags.
type faults []error

func (f *faults) add(flag string, err error) {
	if err != nil {
		*f = append(*f, fmt.Errorf("--%s: %w", flag, err))
	}
}

func (c *Command) shares(o *Options, faults *faults) {
	for _, share := range []struct {
		act  Act
		text string
	}{
		{Error, c.Error}, {Duplicate, c.Duplicate}, {Late, c.Late}, {WrongID, c.WrongID},
		{Garbage, c.Garbage}, {IDOnly, c.IDOnly}, {Silence, c.Silence}, {Retained, c.Retained},
	} {
		value, err := parseShare(share.text)
		faults.add(share.act.String(), err)
		o.Shares[share.act] = value
	}
}

// Run answers until ctx ends. It never gives up on the broker. Reports go to standard output,
// the log to standard error.
func (c *Command) Run(ctx context.Context, k *kong.Kong) error {
	if os.Getenv("GOGC") == "" { // of paho's packets next to nothing lives on, and they are most of the heap
		debug.SetGCPercent(garbagePercent)
	}
	return c.run(ctx, k.Stdout, k.Stderr)
}

func (c *Command) run(ctx context.Context, stdout, stderr io.Writer) error {
	o := c.options
	o.Logger = slog.New(slog.NewTextHandler(stderr, nil))
	r, err := Start(o)
	if err != nil {
		return err
	}
	err = c.report(ctx, r, json.NewEncoder(stdout))
	r.Close()
	return err
}

// garbagePercent is how much of the heap may be garbage, unless GOGC says otherwise: some MiB.
const garbagePercent = 400

// report prints every now and then, and at the end.
func (c *Command) report(ctx context.Context, r *Responder, to *json.Encoder) error {
	var tick <-chan time.Time
	if c.every > 0 {
		ticker := time.NewTicker(c.every)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return to.Encode(r.Report())
		case <-tick:
			if err := to.Encode(r.Report()); err != nil {
				return err
			}
		}
	}
}

func parseTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil || d < 0 || d > maxDelay {
		return 0, fmt.Errorf("%q is not a time from 0s to %v: write such as 20ms or 1.5s", text, maxDelay)
	}
	return d, nil
}

// parseDelay reads such as 20ms or 5ms-50ms.
func parseDelay(text string) (shortest, longest time.Duration, err error) {
	first, second, isRange := strings.Cut(text, "-")
	if !isRange {
		second = first
	}
	if shortest, err = parseTime(first); err != nil {
		return 0, 0, err
	}
	if longest, err = parseTime(second); err != nil {
		return 0, 0, err
	}
	if shortest > longest {
		return 0, 0, fmt.Errorf("%q has the longer time first: write such as 5ms-50ms", text)
	}
	return shortest, longest, nil
}
