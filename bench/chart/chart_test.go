package chart

import (
	"bytes"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTicks(t *testing.T) {
	for name, c := range map[string]struct {
		axis        Axis
		least, most float64
		want        string
	}{
		"from zero":            {Axis{}, 30, 97, "0 20 40 60 80 100"},
		"a step of half":       {Axis{}, 0, 2.5, "0 0.5 1 1.5 2 2.5"},
		"ends on a tick":       {Axis{}, 0, 0.6, "0 0.1 0.2 0.3 0.4 0.5 0.6"},
		"below zero":           {Axis{}, -7, 12, "-10 -5 0 5 10 15"},
		"only below zero":      {Axis{}, -7, -5, "-8 -6 -4 -2 0"},
		"nothing but zero":     {Axis{}, 0, 0, "0 0.2 0.4 0.6 0.8 1"},
		"thousands":            {Axis{}, 0, 1_000_000, "0 200k 400k 600k 800k 1M"},
		"time":                 {Axis{Unit: "ns"}, 53, 3350, "0 1 µs 2 µs 3 µs 4 µs"},
		"bytes":                {Axis{Unit: "B"}, 0, 15_500, "0 5 kB 10 kB 15 kB 20 kB"},
		"the largest":          {Axis{}, -MaxValue, MaxValue, "-1000T -500T 0 500T 1000T"},
		"tiny":                 {Axis{Unit: "s"}, 0, 1e-9, "0 0.2 ns 0.4 ns 0.6 ns 0.8 ns 1 ns"},
		"log, steps":           {Axis{Log: true}, 1, 100, "1 2 5 10 20 50 100"},
		"log, rounded out":     {Axis{Log: true}, 1500, 30_001, "1k 2k 5k 10k 20k 50k"},
		"log, one value":       {Axis{Log: true}, 5, 5, "2 5 10"},
		"log, one decade only": {Axis{Log: true, Unit: "ms"}, 0.5, 2, "500 µs 1 ms 2 ms"},
		"log, decades":         {Axis{Log: true, Unit: "ms"}, 0.3, 1010, ". . 1 ms . . 10 ms . . 100 ms . . 1 s ."},
		"log, all":             {Axis{Log: true}, 1 / MaxValue, MaxValue, strings.Join(strings.Split("1e-15 1e-12 1e-09 1e-06 0.001 1 1k 1M 1G 1T 1000T", " "), strings.Repeat(" .", 8)+" ")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScale(c.axis, c.least, c.most)
			var labels []string
			for i, tick := range s.ticks {
				if i > 0 {
					require.Greater(t, tick.at, s.ticks[i-1].at)
				}
				if tick.label == "" {
					tick.label = "."
				}
				labels = append(labels, strings.ReplaceAll(tick.label, "\u00a0", " "))
			}
			assert.Equal(t, c.want, strings.Join(labels, " "))
			assert.LessOrEqual(t, s.ticks[0].at, c.least*(1+math.Copysign(2*nearly, c.least)))
			assert.GreaterOrEqual(t, s.ticks[len(s.ticks)-1].at, c.most*(1-math.Copysign(2*nearly, c.most)))
		})
	}
}

// Whatever values there are, an axis has a number of ticks that can be read, and reaches around
// them.
func TestTicksOfAnyRange(t *testing.T) {
	for exponent := -14.5; exponent < 15; exponent += 0.37 {
		for _, ratio := range []float64{1, 1.01, 1.9, 7.3, 450, 1e5} {
			least := math.Pow(10, exponent)
			most := min(least*ratio, MaxValue)
			for _, log := range []bool{false, true} {
				s := newScale(Axis{Log: log}, least, most)
				labels := 0
				for _, tick := range s.ticks {
					labels += min(1, len(tick.label))
				}
				assert.True(t, labels >= 2 && labels <= 12, "%g to %g, log %v: %d labels", least, most, log, labels)
				s.from, s.to = 0, 100
				assert.GreaterOrEqual(t, s.pixel(least), -0.01)
				assert.LessOrEqual(t, s.pixel(most), 100.01)
			}
		}
	}
}

func TestPixels(t *testing.T) {
	linear, log := newScale(Axis{}, 0, 10), newScale(Axis{Log: true}, 1, 100)
	linear.from, linear.to = 100, 200
	log.from, log.to = 400, 200
	assert.InDelta(t, 100, linear.pixel(0), 1e-9)
	assert.InDelta(t, 150, linear.pixel(5), 1e-9)
	assert.InDelta(t, 400, log.pixel(1), 1e-9)
	assert.InDelta(t, 300, log.pixel(10), 1e-9)
}

func TestErrors(t *testing.T) {
	with := func(change func(*Chart)) Chart {
		c := Chart{Title: "T", Series: []Series{{"s", []Point{{1, 1}, {2, 2}}}}}
		change(&c)
		return c
	}
	long := strings.Repeat("é", MaxText+1)
	for name, c := range map[string]struct {
		chart Chart
		want  string
	}{
		"no series":       {Chart{Title: "T"}, `chart "T": it has 0 series`},
		"too many series": {with(func(c *Chart) { c.Series = make([]Series, MaxSeries+1) }), "may have 1 to 8"},
		"no points":       {with(func(c *Chart) { c.Series[0].Points = nil }), `series "s": it has 0 points`},
		"too many points": {with(func(c *Chart) { c.Series[0].Points = make([]Point, MaxPoints+1) }), "10001 points"},
		"not a number":    {with(func(c *Chart) { c.Series[0].Points[1].Y = math.NaN() }), "point 1: y: it is not a number"},
		"infinite":        {with(func(c *Chart) { c.Series[0].Points[0].X = math.Inf(1) }), "point 0: x: +Inf is beyond"},
		"infinitely less": {with(func(c *Chart) { c.Series[0].Points[0].X = math.Inf(-1) }), "-Inf is beyond"},
		"zero, log":       {with(func(c *Chart) { c.X.Log, c.Series[0].Points[0].X = true, 0 }), "no place for 0"},
		"below zero, log": {with(func(c *Chart) { c.Y.Log, c.Series[0].Points[0].Y = true, -1 }), "no place for -1"},
		"tiny, log":       {with(func(c *Chart) { c.Y.Log, c.Series[0].Points[0].Y = true, 1e-16 }), "less than 1e-15"},
		"title":           {with(func(c *Chart) { c.Title = long }), "more than 80"},
		"label":           {with(func(c *Chart) { c.Y.Label = long }), "more than 80"},
		"name":            {with(func(c *Chart) { c.Series[0].Name = long }), "more than 80"},
		"unit":            {with(func(c *Chart) { c.X.Unit = "microfortnights" }), "more than 10"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			assert.ErrorContains(t, Line(&b, c.chart), c.want)
			assert.Zero(t, b.Len(), "written before the error")
		})
	}
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteError(t *testing.T) {
	assert.ErrorIs(t, Line(full{}, charts["point"]), errFull)
}

// The order of points is that of X, and the caller's slice stays as it is.
func TestOrder(t *testing.T) {
	points := []Point{{3, 1}, {1, 2}, {2, 3}}
	sorted := []Point{{1, 2}, {2, 3}, {3, 1}}
	var a, b bytes.Buffer
	require.NoError(t, Line(&a, Chart{Series: []Series{{"s", points}}}))
	require.NoError(t, Line(&b, Chart{Series: []Series{{"s", sorted}}}))
	assert.Equal(t, b.String(), a.String())
	assert.Equal(t, []Point{{3, 1}, {1, 2}, {2, 3}}, points)
}

// A long series is a line without markers.
func TestDense(t *testing.T) {
	points := make([]Point, MaxPoints)
	for i := range points {
		points[i] = Point{float64(i), math.Sin(float64(i))}
	}
	var b bytes.Buffer
	require.NoError(t, Line(&b, Chart{Series: []Series{{"s", points}}}))
	wellFormed(t, b.String())
	assert.NotContains(t, b.String(), "s: ")
	assert.Less(t, b.Len(), 20*MaxPoints)
}

// What is not text in a text cannot become a part of the document.
func TestEscapes(t *testing.T) {
	var b bytes.Buffer
	evil := "</text><script>alert(1)</script>\x00\xff"
	require.NoError(t, Line(&b, Chart{Title: evil, X: Axis{Label: evil, Unit: "<&>"}, Series: []Series{{evil, []Point{{1, 1}}}}}))
	wellFormed(t, b.String())
	assert.NotContains(t, b.String(), "<script")
}

// Nothing overlaps: labels of an axis have a space between them, and all is inside of the picture.
func TestLabelsHaveRoom(t *testing.T) {
	label := regexp.MustCompile(`<text x="([0-9.]+)" y="([0-9.]+)" text-anchor="(middle|end)">([^<]*)<`)
	for name, c := range charts {
		var b bytes.Buffer
		require.NoError(t, Line(&b, c))
		ends := map[string]float64{}
		matches := label.FindAllStringSubmatch(b.String(), -1)
		require.NotEmpty(t, matches)
		for _, m := range matches {
			x, err := strconv.ParseFloat(m[1], 64)
			require.NoError(t, err)
			from, to := x-wide(m[4]), x
			if m[3] == "middle" {
				from, to = x-wide(m[4])/2, x+wide(m[4])/2
			}
			assert.Greater(t, from, ends[m[2]]+2, "%s: %s", name, m[4])
			assert.Less(t, to, float64(width), "%s: %s", name, m[4])
			ends[m[2]] = to
		}
	}
}
