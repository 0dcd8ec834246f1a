package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/flowsync-go/flowsync/bench/chart"
)

const picturesFolder = "bench/pictures"

// axis is an axis of a picture; "log" makes it logarithmic.
func axis(label, unit string, log ...string) (chart.Axis, error) {
	a := chart.Axis{Label: label, Unit: unit}
	for _, word := range log {
		if word != "log" {
			return a, fmt.Errorf(`%q: an axis is "log" or not`, word)
		}
		a.Log = true
	}
	return a, nil
}

// seriesOf is a line through what a benchmark said for each x, which is where its name has a star.
func (d *data) seriesOf(label, file, pattern, unit string) chart.Series {
	s := chart.Series{Name: label}
	for _, p := range d.match(file, pattern) {
		s.Points = append(s.Points, chart.Point{X: p.at, Y: d.value(file, p.benchmark, unit).mid})
	}
	return ascending(s)
}

// totals is a line through what all x come to, when the unit is that of one. Nothing is nothing.
func (d *data) totals(label, file, pattern, unit string) chart.Series {
	s := d.seriesOf(label, file, pattern, unit)
	for i := range s.Points {
		s.Points[i].Y *= s.Points[i].X
	}
	s.Points = append(s.Points, chart.Point{})
	return ascending(s)
}

// points is a line through two units of all benchmarks that match.
func (d *data) points(label, file, pattern, x, y string) chart.Series {
	s := chart.Series{Name: label}
	for _, p := range d.match(file, pattern) {
		s.Points = append(s.Points, chart.Point{X: d.value(file, p.benchmark, x).mid, Y: d.value(file, p.benchmark, y).mid})
	}
	return ascending(s)
}

func ascending(s chart.Series) chart.Series {
	slices.SortFunc(s.Points, func(a, b chart.Point) int { return cmp.Compare(a.X, b.X) })
	return s
}

// draw makes a picture, and gives the line that shows it.
func (p *page) draw(name, title string, x, y chart.Axis, series ...chart.Series) (string, error) {
	if len(p.data.missing) > 0 {
		return "", nil // and nothing to draw
	}
	var b bytes.Buffer
	if err := chart.Line(&b, chart.Chart{Title: title, X: x, Y: y, Series: series}); err != nil {
		return "", err
	}
	file := picturesFolder + "/" + name + ".svg"
	if _, ok := p.output[file]; ok {
		return "", fmt.Errorf("%s is drawn twice", file)
	}
	p.output[file] = b.Bytes()
	return fmt.Sprintf("![%s](%s)", title, file), nil
}
