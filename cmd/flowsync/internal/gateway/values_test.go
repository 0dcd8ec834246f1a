package gateway

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// brokenLink is a broker that takes nothing while it is broken.
type brokenLink struct {
	link
	broken atomic.Bool
}

func (l *brokenLink) PublishMessage(mqtt.Message) error {
	if l.broken.Load() {
		return errors.New("not connected")
	}
	return nil
}

// TestBurstOfIntake: what a burst loses after the requests were answered is logged, and is not
// told to a request that comes later.
func TestBurstOfIntake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logBuffer{}
		broken := &brokenLink{}
		in := &intake{link: broken, closed: new(atomic.Bool), name: "n", topic: "t", logger: slog.New(slog.NewTextHandler(log, nil))}
		pipeline, err := compile([]rules.Spec{{Kind: "burst", Args: map[string]any{"interval": 1000, "maxSize": 3}}}, false)
		require.NoError(t, err)
		in.run = pipeline.Start(in.emit)
		defer in.run.Close()

		broken.broken.Store(true)
		require.NoError(t, in.receive([]byte("1"), nil))
		time.Sleep(2 * time.Second) // invented time
		synctest.Wait()
		require.Equal(t, 1, strings.Count(log.String(), "not connected"))
		require.NoError(t, in.receive([]byte("2"), nil), "its burst is not over")
		require.NoError(t, in.receive([]byte("3"), nil))
		require.ErrorContains(t, in.receive([]byte("4"), nil), "not connected", "it fills the burst")
		broken.broken.Store(false)
		require.NoError(t, in.receive([]byte("5"), nil))
	})
}

// TestBurstWhileReceiving is for the race detector.
func TestBurstWhileReceiving(t *testing.T) {
	broken := &brokenLink{}
	broken.broken.Store(true)
	in := &intake{link: broken, closed: new(atomic.Bool), logger: slog.New(slog.DiscardHandler)}
	pipeline, err := compile([]rules.Spec{{Kind: "burst", Args: map[string]any{"interval": 1}}}, false)
	require.NoError(t, err)
	in.run = pipeline.Start(in.emit)
	defer in.run.Close()
	for end := time.Now().Add(30 * time.Millisecond); time.Now().Before(end); {
		_ = in.receive([]byte("1"), nil) // may be told that a burst failed
	}
}

// TestRulesOfBothRunOnce: on what is received; the value that comes back is not changed again.
func TestRulesOfBothRunOnce(t *testing.T) {
	r := open(t, value("both", "PUT", "serverProvidesAndReceives", `, rules: [{transform: {expression: '{"value": $.value * 2}'}}]`))
	messages := r.listen("services/test/both")
	status, body := r.ask("PUT", "/both", "1")
	require.Equal(t, 204, status, body)
	require.Equal(t, `{"value":2}`, string(receive(t, messages).Payload)) // by then it has been provided: subscribed earlier
	_, body = r.ask("GET", "/both", "")
	require.Equal(t, "2", body)
}

// TestBurstJustAheadOfARequest plays a timer that fires while a request waits for the rules.
func TestBurstJustAheadOfARequest(t *testing.T) {
	in := &intake{link: &brokenLink{}, closed: new(atomic.Bool)}
	in.begin()
	in.emit(rules.Output{Err: errors.New("burst")})
	in.emit(rules.Output{Err: errors.New("own")})
	err := in.end()
	require.ErrorContains(t, err, "burst")
	require.ErrorContains(t, err, "own")
	in.begin()
	require.NoError(t, in.end())
}
