package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"
)

// page is what is being made: files by their path from the root of the repository.
type page struct {
	data    *data
	targets targets
	output  map[string][]byte
}

const pageFile = "BENCHMARKS.md"

// newPage makes the page and its pictures, or says what is missing.
func newPage(d *data, text string) (*page, error) {
	p := &page{data: d, output: map[string][]byte{}}
	t, err := template.New("template.md").Option("missingkey=error").Funcs(p.functions()).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, nil)
	if len(d.missing) > 0 { // which may be why there is an error
		return nil, errors.New(strings.Join(d.missing, "\n"))
	}
	if err != nil {
		return nil, err
	}
	p.output[pageFile] = b.Bytes()
	return p, nil
}

func (p *page) functions() template.FuncMap {
	d := p.data
	return template.FuncMap{
		"value": d.value, "ratio": d.ratio, "span": figure.span, "worst": figure.worst,
		"mul":  operation(func(a, b float64) float64 { return a * b }),
		"div":  operation(func(a, b float64) float64 { return a / b }),
		"add":  operation(func(a, b float64) float64 { return a + b }),
		"sub":  operation(func(a, b float64) float64 { return a - b }),
		"list": list, "row": d.row, "figures": d.figures, "sweep": d.sweep, "cells": cells, "bytes": bytesOf,
		"atMost": p.targets.atMost, "atLeast": p.targets.atLeast,
		"notMeasured": p.targets.notMeasured, "verdicts": p.targets.verdicts,
		"recorded": d.recorded, "header": d.header, "dates": d.dates, "commands": d.commands,
		"plan": newPlan,
		"line": p.draw, "axis": axis, "series": d.seriesOf, "totals": d.totals, "points": d.points,
	}
}

func operation(op func(a, b float64) float64) func(x, y any) (figure, error) {
	return func(x, y any) (figure, error) { return combine(op, x, y) }
}

// bytesOf writes a number of bytes.
func bytesOf(n any) (string, error) {
	f, err := toFigure(n)
	return inBytes(f.mid), err
}

// recorded says whether a file is there. Only a file that make bench does not record may be asked for.
func (d *data) recorded(file string) bool { return d.files[file] != nil }

// header is a line of a file's header.
func (d *data) header(file, key string) string {
	f, ok := d.files[file]
	switch {
	case !ok:
		d.miss("bench/results/%s.txt is not there: run bench/record %[1]s", file)
	case f.header[key] == "":
		d.miss("bench/results/%s.txt has no line %q in its header: run bench/record %[1]s", file, key+":")
	default:
		return f.header[key]
	}
	return ""
}

// dates are from the first recording of all files to the last.
func (d *data) dates() string {
	var dates []string
	for _, file := range slices.Sorted(maps.Keys(d.files)) {
		dates = append(dates, d.header(file, "date"))
	}
	if len(dates) == 0 {
		d.miss("there is no file in bench/results: run bench/record")
		return ""
	}
	from, to := slices.Min(dates), slices.Max(dates)
	if from == to {
		return from
	}
	return from + " to " + to
}

// commands are those that a file was recorded with, a line each.
func (d *data) commands(file string) string {
	if f, ok := d.files[file]; ok && len(f.commands) > 0 {
		return strings.Join(f.commands, "\n")
	}
	d.miss("bench/results/%s.txt does not say how it was recorded (run:): run bench/record %[1]s", file)
	return ""
}

// differences compares what was made with what there is, file by file.
func (p *page) differences(read func(file string) ([]byte, error), pictures []string) []string {
	var found []string
	for file, want := range p.output {
		switch have, err := read(file); {
		case err != nil:
			found = append(found, fmt.Sprintf("%s: %v", file, err))
		case !bytes.Equal(have, want):
			found = append(found, file+": "+firstDifference(string(have), string(want)))
		}
	}
	for _, file := range pictures {
		if _, ok := p.output[file]; !ok {
			found = append(found, file+": the page does not show it")
		}
	}
	return found
}

func firstDifference(have, want string) string {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range min(len(h), len(w)) {
		if h[i] != w[i] {
			return fmt.Sprintf("line %d is\n\t%.200s\nand the data say\n\t%.200s", i+1, h[i], w[i])
		}
	}
	return fmt.Sprintf("it has %d lines, and the data make %d", len(h), len(w))
}
