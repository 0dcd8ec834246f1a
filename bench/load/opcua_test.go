package load

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// Everything that can be asked, by a whole run.
func TestOPCUARuns(t *testing.T) {
	url := opcuaServer(t, echoOPCUA, nil)
	for name, o := range map[string]OPCUAOptions{
		"all types":    {Method: "ns=1;s=Press.All"},
		"long text":    {Method: "ns=1;s=Press.All", Payload: 20_000},
		"by name":      {Method: "ns=1;s=Press.Ask", Object: "ns=1;s=Press"},
		"anything":     {Method: "ns=1;s=Press.Ask", Expect: ExpectAny},
		"no arguments": {Method: "ns=1;s=Press.Nothing", Expect: ExpectAny},
		"write":        {Variable: "ns=1;s=Press.Recipe"},
	} {
		t.Run(name, func(t *testing.T) {
			o.Endpoint, o.Sessions = url, 3
			r := runOPCUA(t, opcuaTarget(t, o), 8)
			assert.True(t, r.OK(), "%+v", r)
			assert.Equal(t, o.Expect != ExpectAny && o.Variable == "", r.Checked)
			if name == "no arguments" {
				assert.Zero(t, r.PayloadBytes)
			} else {
				assert.Equal(t, max(MinPayload, o.Payload), r.PayloadBytes)
			}
			assert.Equal(t, url+" "+o.Method+o.Variable, r.Target)
			assert.Zero(t, r.Reconnects)
		})
	}
}

// Ends other than an answer have the gateway's word.
func TestOPCUAOutcomes(t *testing.T) {
	var respond atomic.Pointer[func(*mem.Request)]
	url := opcuaServer(t, func(r *mem.Request) { (*respond.Load())(r) }, nil)
	respond.Store(ptr(echoOPCUA))
	ask := opcuaLanes(t, opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"}), 1)[0]
	write := opcuaLanes(t, opcuaTarget(t, OPCUAOptions{Endpoint: url, Variable: "ns=1;s=Press.Recipe"}), 1)[0]
	for want, how := range map[string]func(*mem.Request){
		Answered:          echoOPCUA,
		"responder_error": func(r *mem.Request) { _ = r.Fail(-1, "no") },
	} {
		respond.Store(&how)
		for _, lane := range []Lane{ask, write} {
			v := lane.Ask(firstSeq, soon())
			assert.Equal(t, want, v.Outcome)
			assert.False(t, v.Wrong)
		}
	}
	respond.Store(ptr(func(r *mem.Request) { _ = r.Answer([]byte(`{"order":"4711","allowed":true,"list":[]}`)) }))
	v := ask.Ask(firstSeq, soon())
	assert.True(t, v.Wrong)
	assert.Equal(t, Answered, v.Outcome)
	assert.ErrorContains(t, v.Err, `its output order is "4711", want "`)
	respond.Store(ptr(func(r *mem.Request) { _ = r.Answer([]byte(`{}`)) }))
	assert.Equal(t, "bad_response", ask.Ask(firstSeq, soon()).Outcome)
}

func ptr[T any](v T) *T { return &v }

// What comes in time from the server as it is, is recognised without being decoded.
func TestOPCUAMatchesWithoutDecoding(t *testing.T) {
	url := opcuaServer(t, echoOPCUA, nil)
	for _, o := range []OPCUAOptions{
		{Method: "ns=1;s=Press.All", Payload: 100},
		{Method: "ns=1;s=Press.Nothing", Expect: ExpectAny},
		{Method: "ns=1;s=Press.All", Expect: ExpectAny},
		{Variable: "ns=1;s=Press.Recipe"},
	} {
		o.Endpoint = url
		target := opcuaTarget(t, o)
		bodies := make(chan rawclient.Response, 1)
		c, err := target.login(t.Context(), func(r rawclient.Response) {
			r.Body = append([]byte(nil), r.Body...)
			bodies <- r
		})
		require.NoError(t, err)
		defer leave(c)
		p, err := target.plan(t.Context(), c)
		require.NoError(t, err)
		template, inputs, err := p.template(c)
		require.NoError(t, err)
		for seq := uint64(firstSeq); seq < firstSeq+300; seq += 77 {
			_, err := c.SendTemplate(template, func(body []byte, _ uint32) { p.appendInputs(body[:inputs], seq) })
			require.NoError(t, err)
			r := <-bodies
			var scratch []byte
			assert.True(t, p.matches(r.Body, seq, &scratch), o)
			assert.Equal(t, Verdict{Outcome: Answered}, p.judge(r, seq, &scratch))
			for cut := range r.Body { // what is not whole is never right, and nothing falls over
				assert.False(t, p.judge(rawclient.Response{ID: r.ID, Body: r.Body[:cut]}, seq, &scratch) == Verdict{Outcome: Answered})
			}
			if p.checked {
				assert.True(t, p.judge(r, seq+2, &scratch).Wrong)
				const ofDecoding = 20 // allocations at least
				assert.Less(t, testing.AllocsPerRun(100, func() { p.judge(r, seq, &scratch) }), ofDecoding/4.)
			}
		}
	}
}

// chunk bytes: channel and token ids, sequence number at 16, request id at 20, body at 24.
const (
	requestIDAt = 20
	handleAt    = 24 + 4 + 8
	statusAt    = handleAt + 4
)

// patched is a response with a number changed.
func patched(chunk []byte, at int, value uint32) []byte {
	chunk = append([]byte(nil), chunk...)
	binary.LittleEndian.PutUint32(chunk[at:], value)
	return chunk
}

// Faults of a server, planted one by one into what a real one says.
func TestOPCUAFaults(t *testing.T) {
	m, url := meddle(t, opcuaServer(t, echoOPCUA, nil))
	lane := opcuaLanes(t, opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"}), 1)[0]
	seq := uint64(firstSeq)
	ask := func(timeout time.Duration) Verdict {
		seq++
		return lane.Ask(seq, time.Now().Add(timeout))
	}
	require.Equal(t, Verdict{Outcome: Answered}, ask(opcuaPatience))

	t.Run("duplicate", func(t *testing.T) {
		m.set(func(c []byte) [][]byte { return [][]byte{c, c} })
		first := ask(opcuaPatience)
		m.set(nil)
		second := ask(opcuaPatience) // by then the other copy of the first answer is there
		assert.Equal(t, Answered, first.Outcome)
		assert.False(t, first.Wrong || second.Wrong)
		assert.Equal(t, 1, first.Duplicates+second.Duplicates)
	})
	t.Run("an answer to nothing", func(t *testing.T) {
		m.set(func(c []byte) [][]byte { return [][]byte{patched(c, requestIDAt, 9_999_999), c} })
		v := ask(opcuaPatience)
		assert.Equal(t, Verdict{Outcome: Answered, Duplicates: 1}, v)
	})
	t.Run("of another request", func(t *testing.T) {
		var before []byte
		m.set(func(c []byte) [][]byte {
			defer func() { before = c }()
			if before == nil {
				return [][]byte{c}
			}
			other := patched(before, requestIDAt, binary.LittleEndian.Uint32(c[requestIDAt:]))
			return [][]byte{patched(other, handleAt, binary.LittleEndian.Uint32(c[handleAt:]))}
		})
		assert.Equal(t, Verdict{Outcome: Answered}, ask(opcuaPatience))
		v := ask(opcuaPatience)
		assert.True(t, v.Wrong)
		assert.ErrorContains(t, v.Err, "output order")
	})
	t.Run("another's handle", func(t *testing.T) {
		m.set(func(c []byte) [][]byte { return [][]byte{patched(c, handleAt, 7)} })
		v := ask(opcuaPatience)
		assert.True(t, v.Wrong)
		assert.ErrorContains(t, v.Err, "handle of request 7")
	})
	t.Run("refused as a whole", func(t *testing.T) {
		m.set(func(c []byte) [][]byte { return [][]byte{patched(c, statusAt, uint32(ua.StatusBadTooManyOperations))} })
		v := ask(opcuaPatience)
		assert.Equal(t, "BadTooManyOperations", v.Outcome)
		assert.False(t, v.Wrong)
	})
	t.Run("not a response", func(t *testing.T) {
		m.set(func(c []byte) [][]byte { return [][]byte{patched(c, 24, 0xffffffff)} })
		assert.True(t, ask(opcuaPatience).Wrong)
	})
	t.Run("lost, and late", func(t *testing.T) {
		var kept []byte
		m.set(func(c []byte) [][]byte {
			if kept == nil {
				kept = c
				return nil
			}
			return [][]byte{kept, c}
		})
		v := ask(50 * time.Millisecond)
		assert.Equal(t, Lost, v.Outcome)
		assert.ErrorContains(t, v.Err, "no answer in time")
		assert.Equal(t, Verdict{Outcome: Answered}, ask(opcuaPatience), "a late answer is not a duplicate")
	})
	m.set(nil)
	assert.Equal(t, Verdict{Outcome: Answered}, ask(opcuaPatience))
	assert.Zero(t, lane.(Reconnecter).Reconnects())
}

// With the connection all that is in flight is lost, at once; then the lanes go on over another.
func TestOPCUALosesConnection(t *testing.T) {
	requests := make(chan *mem.Request, 100)
	hold := new(atomic.Bool)
	m, url := meddle(t, opcuaServer(t, func(r *mem.Request) {
		if hold.Load() {
			requests <- r
			return
		}
		echoOPCUA(r)
	}, nil))
	lanes := opcuaLanes(t, opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"}), 4)
	hold.Store(true)
	verdicts := askAll(lanes, firstSeq, soon())
	for range lanes {
		<-requests
	}
	m.cut(false)
	for range lanes {
		v := <-verdicts
		assert.Equal(t, Lost, v.Outcome)
		assert.ErrorContains(t, v.Err, "the session was lost")
	}
	hold.Store(false)
	verdicts = askAll(lanes, firstSeq+10, soon())
	for range lanes {
		assert.Equal(t, Verdict{Outcome: Answered}, <-verdicts)
	}
	assert.Equal(t, 1, lanes[0].(Reconnecter).Reconnects())
	assert.Equal(t, 0, lanes[1].(Reconnecter).Reconnects(), "it is told once")
}

// askAll asks over all lanes at once.
func askAll(lanes []Lane, seq uint64, deadline time.Time) <-chan Verdict {
	verdicts := make(chan Verdict, len(lanes))
	for i, l := range lanes {
		go func() { verdicts <- l.Ask(seq+uint64(i), deadline) }()
	}
	return verdicts
}

// While there is no server, requests wait until their deadline, and it is tried again and again.
func TestOPCUAWaitsForServer(t *testing.T) {
	m, url := meddle(t, opcuaServer(t, echoOPCUA, nil))
	lanes := opcuaLanes(t, opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"}), 2)
	m.cut(true)
	for range 3 {
		<-m.tried
	}
	v := lanes[0].Ask(firstSeq, time.Now().Add(30*time.Millisecond))
	assert.Equal(t, Lost, v.Outcome)
	assert.ErrorContains(t, v.Err, "connecting again")
	verdicts := askAll(lanes, firstSeq, soon())
	m.cut(false) // it takes connections again
	for range lanes {
		assert.Equal(t, Verdict{Outcome: Answered}, <-verdicts)
	}
}

// A session that the server no longer knows is given up for another.
func TestOPCUASessionGone(t *testing.T) {
	m, url := meddle(t, opcuaServer(t, echoOPCUA, nil))
	lane := opcuaLanes(t, opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"}), 1)[0]
	m.set(func(c []byte) [][]byte { return [][]byte{patched(c, statusAt, uint32(ua.StatusBadSessionIDInvalid))} })
	assert.Equal(t, "BadSessionIDInvalid", lane.Ask(firstSeq, soon()).Outcome)
	m.set(nil)
	require.Eventually(t, func() bool { return lane.(*opcuaLane).session.reconnects.Load() > 0 }, opcuaPatience, time.Millisecond)
	assert.Equal(t, Verdict{Outcome: Answered}, lane.Ask(firstSeq+1, soon()))
}

// A lane returns by its deadline even if the server does not read what is sent.
func TestOPCUADeafServer(t *testing.T) {
	m, url := meddle(t, opcuaServer(t, echoOPCUA, nil))
	o := OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask", Payload: 1 << 19}
	lanes := opcuaLanes(t, opcuaTarget(t, o), 4)
	m.stopReading()
	full := 0
	for i := 0; i < 100 && full == 0; i++ {
		verdicts := askAll(lanes, firstSeq, time.Now().Add(20*time.Millisecond))
		for range lanes {
			v := <-verdicts
			assert.Equal(t, Lost, v.Outcome)
			if errors.Is(v.Err, rawclient.ErrFull) {
				full++
			}
		}
	}
	assert.NotZero(t, full)
}

// Closing ends what waits.
func TestOPCUACloseWhileAsking(t *testing.T) {
	asked := make(chan struct{}, 10)
	m, url := meddle(t, opcuaServer(t, func(*mem.Request) { asked <- struct{}{} }, nil))
	target := opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask", Sessions: 2})
	for _, connected := range []bool{true, false} {
		lanes := opcuaLanes(t, target, 3)
		if !connected {
			m.cut(true)
			<-m.tried
		}
		verdicts := askAll(lanes, firstSeq, soon())
		for range lanes {
			if connected {
				<-asked
			}
		}
		require.NoError(t, closeAll(lanes))
		for range lanes {
			assert.Equal(t, Verdict{Outcome: Lost, Err: errOPCUAClosed}, <-verdicts)
		}
		assert.Equal(t, Lost, lanes[0].Ask(firstSeq, soon()).Outcome, "after it was closed")
	}
}

// Run with the whole way in the open loop, over a connection that breaks in the midst.
func TestOPCUARunBreaks(t *testing.T) {
	m, url := meddle(t, opcuaServer(t, echoOPCUA, nil))
	var once sync.Once
	var count atomic.Int64
	m.set(func(c []byte) [][]byte {
		if count.Add(1) > 100 {
			once.Do(func() { go m.cut(false) })
		}
		return [][]byte{c}
	})
	target := opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"})
	r, err := Run(t.Context(), Workload{Target: target, Rate: 1000, Lanes: 20, Duration: 300 * time.Millisecond})
	require.NoError(t, err)
	assert.Equal(t, 1, r.Reconnects)
	assert.Zero(t, r.Wrong)
	assert.Zero(t, r.Duplicate)
	assert.NotZero(t, r.GoodputPerSecond)
}

// What cannot be asked is told before anything is measured.
func TestOPCUARefuses(t *testing.T) {
	url := opcuaServer(t, func(r *mem.Request) { _ = r.Answer([]byte(`{"order":"same","allowed":true,"list":[]}`)) }, nil)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := "opc.tcp://" + nobody.Addr().String() + "/"
	require.NoError(t, nobody.Close())
	for name, c := range map[string]struct {
		o    OPCUAOptions
		want string
	}{
		"nobody there":    {OPCUAOptions{Endpoint: closed, Method: "ns=1;s=Press.Ask"}, "connecting"},
		"no such method":  {OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Dance"}, "BadNodeIDUnknown"},
		"no such value":   {OPCUAOptions{Endpoint: url, Variable: "ns=1;s=Press.Dance"}, "BadNodeIDUnknown"},
		"not a variable":  {OPCUAOptions{Endpoint: url, Variable: "ns=1;s=Press"}, "BadAttributeIDInvalid"},
		"an array":        {OPCUAOptions{Endpoint: url, Variable: "ns=1;s=Press.List"}, "only scalars"},
		"a time":          {OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Tell"}, "input at has the data type"},
		"no arguments":    {OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Nothing"}, "cannot echo"},
		"no echo":         {OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"}, "(order, n) → (allowed, order=order, list); any would let this pass"},
		"another object":  {OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask", Object: "i=85"}, "BadMethodInvalid"},
		"user not known":  {OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask", User: "x", PasswordFile: "opcua_test.go"}, "logging in"},
		"too early ended": {OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"}, "canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if name == "too early ended" {
				cancel()
			}
			target := opcuaTarget(t, c.o)
			err := target.Probe(ctx, opcuaPatience)
			require.ErrorContains(t, err, c.want)
			assert.ErrorContains(t, err, target.String())
			assert.NotContains(t, err.Error(), "rawclient")
		})
	}
}

// A gateway whose responder does not answer can be measured.
func TestOPCUAProbeOfSilence(t *testing.T) {
	url := opcuaServerWithin(t, 20*time.Millisecond, func(*mem.Request) {}, nil)
	target := opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"})
	assert.NoError(t, target.Probe(t.Context(), opcuaPatience))
	v := opcuaLanes(t, target, 1)[0].Ask(firstSeq, soon())
	assert.Equal(t, "timeout", v.Outcome)
	assert.ErrorContains(t, v.Err, "BadTimeout: timeout (id ")
	err := target.Probe(t.Context(), time.Millisecond)
	assert.ErrorContains(t, err, "the first request was not answered")
}

// One of several sessions is refused: none is left.
func TestOPCUAOpensAllOrNone(t *testing.T) {
	url := opcuaServer(t, echoOPCUA, func(o *opcua.Options) { o.MaxSessions = 3 })
	target := opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask", Sessions: 5})
	_, err := target.Open(t.Context(), 10)
	require.ErrorContains(t, err, "of 5: logging in")
	require.NotContains(t, err.Error(), "\n", "what all say is said once")
}
