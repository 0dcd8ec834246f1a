package chart

import (
	"math"
	"strconv"
)

// tick is a line of the grid.
type tick struct {
	at    float64
	label string // empty: between others
}

// scale is an axis that knows what values there are.
type scale struct {
	Axis
	ticks    []tick  // ascending; the first and the last are the ends
	from, to float64 // pixels of the ends
}

// newScale makes ticks around values.
func newScale(a Axis, least, most float64) *scale {
	s := &scale{Axis: a}
	if a.Log {
		s.logarithmic(least, most)
	} else {
		s.linear(min(0, least), max(0, most))
	}
	return s
}

// nearly is how far off a quotient may be that stands for a whole number.
const nearly = 1e-9

// linear makes some five to eight ticks, a step of 1, 2 or 5 and zeros apart.
func (s *scale) linear(least, most float64) {
	if least == most {
		most = 1
	}
	raw := (most - least) / 6
	step := math.Pow10(int(math.Floor(math.Log10(raw))))
	for _, f := range []float64{2, 5, 10} {
		if step < raw*(1-nearly) {
			step = f * math.Pow10(int(math.Floor(math.Log10(raw))))
		}
	}
	for i := math.Floor(least/step + nearly); ; i++ {
		s.ticks = append(s.ticks, tick{i * step, s.format(i * step)})
		if i >= most/step-nearly {
			return
		}
	}
}

// step is the nth step of 1, 2, 5, 10, 20 … . n may be negative.
func step(n int) float64 {
	decade := int(math.Floor(float64(n) / 3))
	return []float64{1, 2, 5}[n-3*decade] * math.Pow10(decade)
}

// logarithmic labels each step if there are no more than three decades, else whole decades only,
// and no more than ten of them or so.
func (s *scale) logarithmic(least, most float64) {
	first := 3*int(math.Floor(math.Log10(least))) + 4
	for step(first) > least*(1+nearly) {
		first--
	}
	last := first
	for step(last) < most*(1-nearly) {
		last++
	}
	if first == last {
		first, last = first-1, last+1
	}
	every := 1
	if decades := (last - first) / 3; last-first > 9 {
		every = 3 * ((decades + 9) / 10)
	}
	for n := first; n <= last; n++ {
		t := tick{at: step(n)}
		if n%every == 0 {
			t.label = s.format(t.at)
		}
		s.ticks = append(s.ticks, t)
	}
}

// pixel is where a value is.
func (s *scale) pixel(v float64) float64 {
	low, high := s.ticks[0].at, s.ticks[len(s.ticks)-1].at
	if s.Log {
		low, high, v = math.Log10(low), math.Log10(high), math.Log10(v)
	}
	// The conversion keeps a machine from rounding product and sum together, to another result than others.
	return s.from + float64((s.to-s.from)*((v-low)/(high-low)))
}

// prefixes of units, the largest first.
var prefixes = []struct {
	factor float64
	sign   string
}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}, {1, ""}, {1e-3, "m"}, {1e-6, "µ"}, {1e-9, "n"}}

// seconds are units of time in seconds.
var seconds = map[string]float64{"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1}

// format is a value with its unit, as one would say it. It has four digits that count.
func (a *Axis) format(v float64) string {
	unit := a.Unit
	inSeconds, isTime := seconds[unit]
	if isTime {
		v, unit = v*inSeconds, "s"
	}
	sign, least := "", prefixes[len(prefixes)-1].factor
	for _, p := range prefixes {
		// Nobody says kiloseconds, or millibytes.
		if v == 0 || isTime && p.factor > 1 || !isTime && p.factor < 1 {
			continue
		}
		if math.Abs(v) >= p.factor*(1-nearly) || p.factor == least {
			v, sign = v/p.factor, p.sign
			break
		}
	}
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64) // it has just been written
	form := byte('f')
	if math.Abs(short) < 1e-4 {
		form = 'g' // a row of zeros has no room
	}
	text := strconv.FormatFloat(short, form, -1, 64)
	switch {
	case v == 0:
		return "0"
	case unit == "":
		return text + sign
	}
	return text + "\u00a0" + sign + unit
}
