package session_test

import (
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
)

// activate lets a nameless client in.
func activate(t *testing.T, table *session.Table, ch session.Channel, s *session.Session) {
	t.Helper()
	_, _, status := table.Activate(ch, token(s), activation(t, ch, s, client(), nil))
	require.Equal(t, ua.StatusOK, status)
}

func TestFind(t *testing.T) {
	table := open(t, nil)
	ch, other := plain(), plain()
	s := create(t, table, ch)
	activate(t, table, ch, s)
	for _, c := range []struct {
		name  string
		ch    session.Channel
		token []byte
		want  ua.StatusCode
	}{
		{"its own", ch, token(s), ua.StatusOK},
		{"none", ch, nil, ua.StatusBadSessionIDInvalid},
		{"short", ch, token(s)[1:], ua.StatusBadSessionIDInvalid},
		{"unknown", ch, make([]byte, 32), ua.StatusBadSessionIDInvalid},
		{"somebody else's", other, token(s), ua.StatusBadSecureChannelIDInvalid},
	} {
		found, status := table.Find(c.ch, c.token)
		require.Equal(t, c.want, status, c.name)
		require.Equal(t, c.want == ua.StatusOK, found == s, c.name)
	}
	require.True(t, table.End(s, ua.StatusBadSessionClosed, true))
	require.False(t, table.End(s, ua.StatusBadSessionClosed, true))
	_, status := table.Find(ch, token(s))
	require.Equal(t, ua.StatusBadSessionIDInvalid, status)
}

func TestUsedBeforeActivatedEnds(t *testing.T) {
	var why ua.StatusCode
	table := open(t, func(o *session.Options) {
		o.Ended = func(_ *session.Session, status ua.StatusCode, _ bool) { why = status }
	})
	ch := plain()
	s := create(t, table, ch)
	_, status := table.Unactivated(ch, token(s))
	require.Equal(t, ua.StatusOK, status)
	_, status = table.Find(ch, token(s))
	require.Equal(t, ua.StatusBadSessionNotActivated, status)
	require.Equal(t, ua.StatusBadSessionNotActivated, why)
	_, status = table.Find(ch, token(s))
	require.Equal(t, ua.StatusBadSessionIDInvalid, status)
}

func TestTimeoutIsRevised(t *testing.T) {
	table := open(t, nil)
	for asked, want := range map[float64]time.Duration{
		0: time.Minute, -1: time.Minute, 1: time.Second, 5000: 5 * time.Second, 1e12: time.Hour, math.Inf(1): time.Hour, math.Inf(-1): time.Minute,
	} {
		r := creation(plain())
		r.RequestedSessionTimeout = asked
		s, status := table.Create(plain(), r)
		require.Equal(t, ua.StatusOK, status)
		require.Equal(t, want, s.Timeout(), asked)
	}
	r := creation(plain())
	r.RequestedSessionTimeout = math.NaN()
	s, _ := table.Create(plain(), r)
	require.Equal(t, time.Minute, s.Timeout())
}

func TestIdleSessionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy atomic.Bool
		var ended atomic.Int64
		start := time.Now()
		table := session.NewTable(session.Options{
			Anonymous: true, Busy: func(*session.Session) bool { return busy.Load() },
			Ended: func(*session.Session, ua.StatusCode, bool) { ended.Store(int64(time.Since(start))) },
		})
		defer table.Close()
		ch := plain()
		s := create(t, table, ch) // may be idle for a minute
		activate(t, table, ch, s)
		time.Sleep(50 * time.Second)
		_, status := table.Find(ch, token(s))
		require.Equal(t, ua.StatusOK, status)
		busy.Store(true) // from 0:50 to 2:20
		time.Sleep(90 * time.Second)
		busy.Store(false)
		require.Zero(t, ended.Load())
		time.Sleep(3 * time.Minute)
		require.NotZero(t, ended.Load())
		require.LessOrEqual(t, time.Duration(ended.Load()), 3*time.Minute+20*time.Second)
	})
}

func TestNeverActivatedEndsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := session.NewTable(session.Options{Anonymous: true})
		defer table.Close()
		create(t, table, plain())
		time.Sleep(10*time.Second - time.Millisecond)
		require.Len(t, table.All(), 1)
		time.Sleep(2 * time.Millisecond)
		require.Empty(t, table.All())
	})
}

func TestOldestUnactivatedMakesPlace(t *testing.T) {
	table := open(t, func(o *session.Options) { o.Max = 3 })
	ch := plain()
	first, second, third := create(t, table, ch), create(t, table, ch), create(t, table, ch)
	activate(t, table, ch, first)
	fourth := create(t, table, ch) // second goes
	require.Equal(t, []*session.Session{first, third, fourth}, table.All())
	_, _, status := table.Activate(ch, token(second), activation(t, ch, second, client(), nil))
	require.Equal(t, ua.StatusBadSessionIDInvalid, status)
	activate(t, table, ch, third)
	activate(t, table, ch, fourth)
	_, status = table.Create(ch, creation(ch))
	require.Equal(t, ua.StatusBadTooManySessions, status)
}

// A client that leaves sessions behind does not keep others out until they time out.
func TestLostSessionMakesPlace(t *testing.T) {
	table := open(t, func(o *session.Options) { o.Max = 2 })
	gone, here := plain(), plain()
	first, second := create(t, table, gone), create(t, table, here)
	activate(t, table, gone, first)
	activate(t, table, here, second)
	table.Lost(gone)
	back := plain()
	_, rebound, status := table.Activate(back, token(first), activation(t, back, first, client(), nil))
	require.Equal(t, ua.StatusOK, status)
	require.True(t, rebound)
	_, status = table.Create(here, creation(here))
	require.Equal(t, ua.StatusBadTooManySessions, status)
	table.Lost(back)
	third := create(t, table, here)
	require.Equal(t, []*session.Session{second, third}, table.All())
}

func TestClosedTableTakesNobody(t *testing.T) {
	table := open(t, nil)
	s := create(t, table, plain())
	table.Close()
	require.Empty(t, table.All())
	_, status := table.Create(plain(), creation(plain()))
	require.Equal(t, ua.StatusBadTooManySessions, status)
	require.False(t, s.Activated())
}

func TestNamesAreCut(t *testing.T) {
	table := open(t, nil)
	r := creation(plain())
	r.SessionName = string(make([]byte, 100_000))
	s, _ := table.Create(plain(), r)
	require.Len(t, s.Name, 256)
	require.Equal(t, "urn:client", s.Application)
}
