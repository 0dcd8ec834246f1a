package responder

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSharesDraw(t *testing.T) {
	var s Shares
	s[Error], s[Silence], s[Retained] = 5, 10, 0.5
	for _, c := range []struct {
		number float64
		want   Act
	}{
		{0, Error}, {4.99, Error}, {5, Silence}, {14.99, Silence}, {15, Retained}, {15.49, Retained}, {15.5, Answer}, {99.99, Answer},
	} {
		assert.Equal(t, c.want, s.draw(c.number), c.number)
	}
}

func TestSharesCheck(t *testing.T) {
	for _, c := range []struct {
		error, silence float64
		want           string
	}{
		{0, 0, ""},
		{50, 50, ""},
		{60, 40.1, "add up to 100.1 %"},
		{-1, 0, "share of error is -1 %"},
		{0, 101, "share of silence is 101 %"},
	} {
		var s Shares
		s[Error], s[Silence] = c.error, c.silence
		if c.want == "" {
			assert.NoError(t, s.check())
		} else {
			assert.ErrorContains(t, s.check(), c.want)
		}
	}
	var tenths Shares // in binary they add up to a little more than 100
	for a := Error; a < actEnd; a++ {
		tenths[a] = 12.5
	}
	tenths[Error], tenths[Silence] = 12.3, 12.7
	assert.NoError(t, tenths.check())
}

func TestParseShare(t *testing.T) {
	for text, want := range map[string]float64{"5%": 5, "5": 5, " 0.1 % ": 0.1, "100%": 100, "0": 0} {
		got, err := parseShare(text)
		assert.NoError(t, err)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "%", "x", "-1%", "101%", "NaN", "Inf", "5%%"} {
		_, err := parseShare(text)
		assert.ErrorContains(t, err, "is not a share", text)
	}
}

func TestScriptIsRepeatable(t *testing.T) {
	draw := func(seed uint64) (acts []Act, delays []time.Duration) {
		o := Options{DelayMin: 5 * time.Millisecond, DelayMax: 50 * time.Millisecond, Seed: seed}
		o.Shares[Error], o.Shares[Silence] = 20, 20
		s := newScript(&o)
		for range 100 {
			act, delay := s.decide(&request{})
			acts, delays = append(acts, act), append(delays, delay)
		}
		return acts, delays
	}
	acts, delays := draw(1)
	sameActs, sameDelays := draw(1)
	assert.Equal(t, acts, sameActs)
	assert.Equal(t, delays, sameDelays)
	others, _ := draw(2)
	assert.NotEqual(t, acts, others)
}

func TestScriptKeepsToSharesAndDelays(t *testing.T) {
	o := Options{DelayMin: 5 * time.Millisecond, DelayMax: 50 * time.Millisecond, LateBy: time.Second, Seed: 7}
	o.Shares[Error], o.Shares[Late] = 10, 5
	s := newScript(&o)
	var count [actEnd]int
	const n = 20_000
	for range n {
		act, delay := s.decide(&request{timeout: 3 * time.Second})
		count[act]++
		if act == Late {
			require.Equal(t, 4*time.Second, delay)
		} else {
			require.True(t, delay >= o.DelayMin && delay <= o.DelayMax, delay)
		}
	}
	assert.InDelta(t, 0.10*n, count[Error], 0.01*n)
	assert.InDelta(t, 0.05*n, count[Late], 0.01*n)
	assert.Equal(t, n, count[Error]+count[Late]+count[Answer])
}

func TestPlace(t *testing.T) {
	now := time.Unix(100, int64(7*time.Millisecond))
	plain := newScript(&Options{})
	due, rank := plain.place(now, time.Millisecond, 3)
	assert.Equal(t, now.Add(time.Millisecond), due)
	assert.Equal(t, uint64(3), rank)

	mixed := newScript(&Options{Shuffle: true})
	due, first := mixed.place(now, 0, 1)
	assert.Equal(t, time.Unix(100, int64(10*time.Millisecond)), due, "the end of the window")
	onTheEdge, second := mixed.place(due, 0, 2)
	assert.Equal(t, due, onTheEdge)
	assert.NotEqual(t, first, second)
}
