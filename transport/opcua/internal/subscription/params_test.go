package subscription

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestParametersAreRevised(t *testing.T) {
	o := Options{}.withDefaults()
	tests := map[string]struct {
		interval            float64
		lifetime, keepAlive uint32
		most                uint32
		want                params
	}{
		"kept":                             {500, 60, 10, 50, params{500 * ms, 60, 10, 50, 1}},
		"fractions of milliseconds":        {12.5, 60, 10, 50, params{12500 * time.Microsecond, 60, 10, 50, 1}},
		"zero interval":                    {0, 60, 10, 1, params{10 * ms, 60, 10, 1, 1}},
		"negative interval":                {-1, 60, 10, 1, params{10 * ms, 60, 10, 1, 1}},
		"no number":                        {math.NaN(), 60, 10, 1, params{10 * ms, 60, 10, 1, 1}},
		"minus infinity":                   {math.Inf(-1), 60, 10, 1, params{10 * ms, 60, 10, 1, 1}},
		"infinity":                         {math.Inf(1), 3, 1, 1, params{time.Hour, 3, 1, 1, 1}},
		"beyond a duration":                {math.MaxFloat64, 3, 1, 1, params{time.Hour, 3, 1, 1, 1}},
		"lifetime below three keep-alives": {1000, 29, 10, 1, params{time.Second, 30, 10, 1, 1}},
		"all left to the server":           {1000, 0, 0, 0, params{time.Second, 30, 10, 10_000, 1}},
		"lifetime longer than allowed":     {1000, math.MaxUint32, 10, 1, params{time.Second, 4 * 3600, 10, 1, 1}},
		"keep-alive longer than allowed":   {1000, 1, math.MaxUint32, 1, params{time.Second, 4 * 3600, 4800, 1, 1}},
		"slow and long":                    {3600e3, 1000, 1000, 1, params{time.Hour, 4, 1, 1, 1}},
		"more notifications than allowed":  {1000, 60, 10, math.MaxUint32, params{time.Second, 60, 10, 10_000, 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := o.revise(test.interval, test.lifetime, test.keepAlive, test.most, 1)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestLifetimeIsThreeCyclesEvenIfThatIsLongerThanAllowed(t *testing.T) {
	o := Options{MaxLifetime: time.Second}.withDefaults()
	got := o.revise(60e3, 100, 50, 0, 0)
	assert.Equal(t, uint32(3), got.lifetime)
	assert.Equal(t, uint32(1), got.keepAlive)
}

func TestSamplingIntervalsAreRevised(t *testing.T) {
	const publishing = 200 * ms
	tests := map[string]struct {
		asked   float64
		fastest time.Duration
		want    time.Duration
	}{
		"kept":                      {50, 0, 50 * ms},
		"publishing interval":       {-1, 0, publishing},
		"any negative":              {-17, 0, publishing},
		"each change":               {0, 0, 0},
		"node is slower":            {50, time.Second, time.Second},
		"each change of a slow one": {0, time.Second, time.Second},
		"publishing is faster":      {-1, time.Second, time.Second},
		"no number":                 {math.NaN(), 0, 0},
		"minus infinity":            {math.Inf(-1), 0, publishing},
		"infinity":                  {math.Inf(1), 0, 24 * time.Hour},
		"node slower than a day":    {50, 25 * time.Hour, 25 * time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, sampling(test.asked, publishing, test.fastest))
		})
	}
}

func TestOptionsHaveDefaults(t *testing.T) {
	o := Options{MaxPublishRequests: 7, MinInterval: 2 * time.Hour}.withDefaults()
	assert.Equal(t, 14, o.MaxRetransmission)
	assert.Equal(t, 1000, o.MaxSubscriptions)
	assert.Equal(t, 2*time.Hour, o.MaxInterval, "never below the minimum")
	assert.NotNil(t, o.Logger)
}
