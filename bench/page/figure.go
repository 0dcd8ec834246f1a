package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// figure is a number and, if it was measured, that of each round.
type figure struct {
	mid    float64 // median of the rounds, or what was computed from medians
	rounds []float64
}

func newFigure(rounds []float64) figure { return figure{median(rounds), rounds} }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// toFigure takes what a template may give for a number.
func toFigure(n any) (figure, error) {
	switch n := n.(type) {
	case figure:
		return n, nil
	case float64:
		return figure{mid: n}, nil
	case int:
		return figure{mid: float64(n)}, nil
	}
	return figure{}, fmt.Errorf("%v is a %T: a number or a figure is needed", n, n)
}

// combine computes with medians, and with the rounds of both if both have them.
func combine(op func(a, b float64) float64, x, y any) (figure, error) {
	a, err := toFigure(x)
	if err != nil {
		return a, err
	}
	b, err := toFigure(y)
	if err != nil {
		return b, err
	}
	f := figure{mid: op(a.mid, b.mid)}
	for i := range max(len(a.rounds), len(b.rounds)) {
		f.rounds = append(f.rounds, op(a.at(i), b.at(i)))
	}
	return f, nil
}

// at is the figure in a round. One that was not measured in that round stands for its median.
func (f figure) at(round int) float64 {
	if round < len(f.rounds) {
		return f.rounds[round]
	}
	return f.mid
}

func (f figure) String() string { return digits(f.mid) }

// span is from the least round to the greatest.
func (f figure) span() string {
	if len(f.rounds) == 0 {
		return digits(f.mid)
	}
	return digits(slices.Min(f.rounds)) + " to " + digits(slices.Max(f.rounds))
}

// worst is the greatest round.
func (f figure) worst() figure {
	if len(f.rounds) == 0 {
		return f
	}
	return figure{mid: slices.Max(f.rounds)}
}

// spread is how far apart the rounds are, as a part of the median.
func (f figure) spread() float64 {
	if len(f.rounds) == 0 || f.mid == 0 {
		return 0
	}
	return (slices.Max(f.rounds) - slices.Min(f.rounds)) / math.Abs(f.mid)
}

// digits writes three digits that count, and a space before each three from 10 000 on.
func digits(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) || v == 0 {
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	scale := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	if scale <= 0 {
		unit := math.Pow10(-scale)
		return grouped(math.Round(v/unit) * unit)
	}
	text := strconv.FormatFloat(v, 'f', scale, 64)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// grouped writes a whole number.
func grouped(v float64) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	if len(text) > 4 {
		for i := len(text) - 3; i > 0; i -= 3 {
			text = text[:i] + "\u00a0" + text[i:]
		}
	}
	if v < 0 {
		return "-" + text
	}
	return text
}
