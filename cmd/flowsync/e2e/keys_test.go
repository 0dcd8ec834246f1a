package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// repeats is how many requests were repeats of a kind.
func (g *gateway) repeats(kind string) int {
	return g.count("flowsync_idempotency_requests_total", `kind="`+kind+`"`)
}

// TestAskedTwice: with the same key the request goes out once. Who asks meanwhile is answered with it,
// who asks later gets the same again, and who asks for something else is refused.
func TestAskedTwice(t *testing.T) {
	eachDoor(t, "once", func(t *testing.T, g *gateway, d door, m *mes) {
		ctx := deadline(t)
		first := d.asking(ctx, "once", "7", "k")
		r := m.next()
		joined := d.asking(ctx, "once", "7", "k")
		require.Eventually(t, func() bool { return g.count("flowsync_idempotency_waiting", "") == 1 }, patience, time.Millisecond)
		m.say(r, `,"value":"booked"`)
		require.Equal(t, "booked", within(t, first, "no reply").value)
		require.Equal(t, "booked", within(t, joined, "no reply").value)

		again := d.ask(ctx, "once", "7", "k")
		require.True(t, again.ok)
		require.Equal(t, "booked", again.value)
		other := d.ask(ctx, "once", "8", "k")
		require.False(t, other.ok)
		if d.protocol == "HTTP" {
			require.Equal(t, "true", again.header("Idempotency-Replayed"))
			require.Equal(t, 422, other.http)
		} else {
			require.Equal(t, ua.StatusBadEntryExists, other.ua)
		}
		require.Equal(t, []int{1, 1, 1}, []int{g.repeats("joined"), g.repeats("replayed"), g.repeats("conflict")})
		require.Equal(t, 1, g.count("flowsync_idempotency_keys", ""))

		unkeyed := d.asking(ctx, "once", "7", "")
		m.say(m.next(), `,"value":"another"`)
		require.Equal(t, "another", within(t, unkeyed, "no reply").value)
		m.none()
		g.addsUp(2)
	})
}

// TestErrorsAreReplayed: a responder's error is a reply as well.
func TestErrorsAreReplayed(t *testing.T) {
	eachDoor(t, "once", func(t *testing.T, g *gateway, d door, m *mes) {
		ctx := deadline(t)
		first := d.asking(ctx, "once", "7", "k")
		m.say(m.next(), `,"error":{"code":409,"message":"it runs"}`)
		for _, a := range []told{within(t, first, "no reply"), d.ask(ctx, "once", "7", "k")} {
			require.Equal(t, "responder_error", a.outcome)
			require.False(t, a.safe)
			if d.protocol == "HTTP" {
				require.Equal(t, 409, a.http)
			} else {
				require.Equal(t, ua.StatusBadUnexpectedError, a.ua)
			}
		}
		m.none()
		g.addsUp(1)
	})
}

// TestInDoubt: once it has left it never goes out again. Who asks again hears that it may have been
// done, and what became of it as soon as the responder has said so.
func TestInDoubt(t *testing.T) {
	eachDoor(t, "doubt", func(t *testing.T, g *gateway, d door, m *mes) {
		ctx := deadline(t)
		require.Equal(t, "timeout", d.ask(ctx, "doubt", "7", "k").outcome)
		r := m.next()
		again := d.ask(ctx, "doubt", "7", "k")
		require.Equal(t, "timeout", again.outcome)
		require.True(t, again.inDoubt)
		require.False(t, again.safe)

		waiting := d.asking(ctx, "doubt", "7", "k")
		require.Eventually(t, func() bool { return g.count("flowsync_idempotency_waiting", "") == 1 || len(waiting) == 1 }, patience, time.Millisecond)
		m.say(r, `,"value":"booked, late"`)
		require.Eventually(t, func() bool { return g.answers("late") == 1 }, patience, time.Millisecond)
		within(t, waiting, "no reply") // it may have ended just before the answer
		last := d.ask(ctx, "doubt", "7", "k")
		require.True(t, last.ok)
		require.Equal(t, "booked, late", last.value)
		require.Equal(t, 1, g.count("flowsync_idempotency_late_answers_total", ""))
		m.none()
		g.addsUp(1)
	})
}

// TestAllWhoAskedAreGone: the request is cancelled only then, and does not go out again either.
func TestAllWhoAskedAreGone(t *testing.T) {
	g := start(t, "testdata/properties.yaml")
	m := startMES(t, g.broker, "props", "once")
	d := g.doors(t)[0]
	one, leaveOne := context.WithCancel(deadline(t))
	two, leaveTwo := context.WithCancel(deadline(t))
	d.asking(one, "once", "7", "k")
	r := m.next()
	d.asking(two, "once", "7", "k")
	require.Eventually(t, func() bool { return g.count("flowsync_idempotency_waiting", "") == 1 }, patience, time.Millisecond)
	leaveOne()
	leaveTwo()
	require.Eventually(t, func() bool { return g.outcome("cancelled") == 1 }, patience, time.Millisecond)
	m.say(r, `,"value":"booked all the same"`)
	require.Eventually(t, func() bool { return g.answers("late") == 1 }, patience, time.Millisecond)
	again := d.ask(deadline(t), "once", "7", "k")
	require.Equal(t, "booked all the same", again.value)
	m.none()
	g.addsUp(1)
}

// TestRobustExample: what the example says of itself.
func TestRobustExample(t *testing.T) {
	g := start(t, examples+"robust.yaml")
	url := "http://" + g.http + "/data/press/"
	book := func(order string) *reply {
		return ask(t, client(1), "POST", url+"book", order, "Idempotency-Key", "press7-4711")
	}
	first, second := book(`{"order": 4711}`), book(`{"order": 4711}`)
	require.Equal(t, 200, first.status, "%s", first.body)
	assert.Contains(t, string(first.body), `"booking":"`)
	assert.Empty(t, first.header.Get("Idempotency-Replayed"))
	assert.Equal(t, string(first.body), string(second.body))
	assert.Equal(t, "true", second.header.Get("Idempotency-Replayed"))
	assert.Equal(t, 422, book(`{"order": 4712}`).status)

	speed := ask(t, client(1), "POST", url+"speed", "{}")
	assert.Equal(t, 200, speed.status)
	assert.JSONEq(t, `{"metersPerMinute":5.0,"from":"the press itself"}`, string(speed.body))
	assert.Equal(t, "timeout", speed.header.Get("Flowsync-Outcome"))

	c := g.login(deadline(t), nil)
	one := toldOverOPCUA(deadline(t), c, call("Press.Book", int32(4711), "k"))
	two := toldOverOPCUA(deadline(t), c, call("Press.Book", int32(4711), "k"))
	require.Equal(t, ua.StatusOK, one.ua)
	assert.NotEmpty(t, one.value)
	assert.Equal(t, one.value, two.value)
	assert.Contains(t, g.log.String(), "give --state DIR")
}
