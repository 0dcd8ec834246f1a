package chart

import (
	"fmt"
	"io"
	"math"
	"unicode/utf8"
)

// What a chart may hold.
const (
	MaxSeries = 8      // as many as there are colours
	MaxPoints = 10_000 // of a series
	MaxText   = 80     // characters of a title, a label or a name
	MaxUnit   = 10     // characters of a unit
	MaxValue  = 1e15   // of a coordinate, either way; 1/MaxValue is the least on a logarithmic axis
)

// Chart is what is drawn.
type Chart struct {
	Title  string
	X, Y   Axis
	Series []Series // in the order of the legend
}

// Axis is one of the two.
type Axis struct {
	Label string // what is shown along it
	// Unit is that of the values: ns, µs, ms, s, B, or any other; none for a mere number. Labels of
	// ticks choose a prefix, so that 1500 µs is "1.5 ms", 64 000 B is "64 kB", and 10 000 is "10k".
	Unit string
	// Log makes the axis logarithmic; all values must be above zero then.
	Log bool
}

// Series is one line.
type Series struct {
	Name   string
	Points []Point // drawn in the order of X
}

// Point is one measured point.
type Point struct{ X, Y float64 }

// Line writes a chart as one SVG document, in one Write.
func Line(w io.Writer, c Chart) error {
	if err := c.check(); err != nil {
		return err
	}
	_, err := w.Write(draw(c))
	return err
}

func (c *Chart) check() error {
	if n := len(c.Series); n == 0 || n > MaxSeries {
		return fmt.Errorf("chart %q: it has %d series, but may have 1 to %d", c.Title, n, MaxSeries)
	}
	texts := []string{c.Title, c.X.Label, c.Y.Label}
	for i := range c.Series {
		texts = append(texts, c.Series[i].Name)
	}
	for _, text := range texts {
		if utf8.RuneCountInString(text) > MaxText {
			return fmt.Errorf("chart %.20q: the text %.20q… has more than %d characters", c.Title, text, MaxText)
		}
	}
	for _, unit := range []string{c.X.Unit, c.Y.Unit} {
		if utf8.RuneCountInString(unit) > MaxUnit {
			return fmt.Errorf("chart %q: the unit %.20q has more than %d characters", c.Title, unit, MaxUnit)
		}
	}
	for i := range c.Series {
		if err := c.checkSeries(&c.Series[i]); err != nil {
			return fmt.Errorf("chart %q: series %q: %w", c.Title, c.Series[i].Name, err)
		}
	}
	return nil
}

func (c *Chart) checkSeries(s *Series) error {
	if n := len(s.Points); n == 0 || n > MaxPoints {
		return fmt.Errorf("it has %d points, but may have 1 to %d", n, MaxPoints)
	}
	for i, p := range s.Points {
		if err := c.X.check(p.X); err != nil {
			return fmt.Errorf("point %d: x: %w", i, err)
		}
		if err := c.Y.check(p.Y); err != nil {
			return fmt.Errorf("point %d: y: %w", i, err)
		}
	}
	return nil
}

func (a *Axis) check(v float64) error {
	switch {
	case math.IsNaN(v):
		return fmt.Errorf("it is not a number")
	case math.Abs(v) > MaxValue:
		return fmt.Errorf("%g is beyond %g", v, float64(MaxValue))
	case a.Log && v <= 0:
		return fmt.Errorf("a logarithmic axis has no place for %g: leave it out, or make the axis linear", v)
	case a.Log && v < 1/MaxValue:
		return fmt.Errorf("%g is less than %g", v, 1/MaxValue)
	}
	return nil
}
