package main

import (
	"math"
	"strconv"
	"strings"
)

// What is missing is noted, and NaN stands for it: no page is written then.
var missing = figure{mid: math.NaN()}

// value is what a benchmark said in a unit.
func (d *data) value(file, benchmark, unit string) figure {
	samples, ok := d.find(file, benchmark)
	if !ok {
		return missing
	}
	rounds := make([]float64, len(samples))
	for i, s := range samples {
		v, ok := s.units[unit]
		if !ok {
			d.miss("Benchmark%s has no %s in bench/results/%s.txt, round %s: run bench/record %[3]s", benchmark, unit, file, s.name(i))
			return missing
		}
		rounds[i] = v
	}
	return newFigure(rounds)
}

// name of a round, for errors.
func (s sample) name(i int) string {
	if s.round != "" {
		return s.round
	}
	return strconv.Itoa(i + 1)
}

// ratio is one benchmark by another of the same rounds.
func (d *data) ratio(file, benchmark, other, unit string) figure {
	a, aOK := d.find(file, benchmark)
	b, bOK := d.find(file, other)
	if !aOK || !bOK {
		return missing
	}
	same := len(a) == len(b)
	for i := 0; same && i < len(a); i++ {
		same = a[i].round == b[i].round
	}
	if !same {
		d.miss("Benchmark%s and Benchmark%s do not have the same rounds in bench/results/%s.txt: run bench/record %[3]s", benchmark, other, file)
		return missing
	}
	f, err := combine(func(a, b float64) float64 { return a / b }, d.value(file, benchmark, unit), d.value(file, other, unit))
	if err != nil || math.IsNaN(f.mid) || math.IsInf(f.mid, 0) {
		d.miss("Benchmark%s by Benchmark%s is no number in %s, in bench/results/%s.txt", benchmark, other, unit, file)
		return missing
	}
	return f
}

// point is a benchmark whose name has a number where a pattern has its star.
type point struct {
	benchmark string // with the number of processors
	at        float64
}

// match finds the benchmarks of a file for a pattern with one star, as they are in the file.
func (d *data) match(file, pattern string) []point {
	f, ok := d.files[file]
	if !ok {
		d.miss("bench/results/%s.txt is not there: run bench/record %[1]s", file)
		return nil
	}
	before, behind, _ := strings.Cut(pattern, "*")
	var found []point
	for _, full := range f.names {
		for _, name := range []string{full, without(full)} {
			star, prefixed := strings.CutPrefix(name, before)
			star, suffixed := strings.CutSuffix(star, behind)
			at, ok := number(star)
			if prefixed && suffixed && ok {
				found = append(found, point{full, at})
				break
			}
		}
	}
	if len(found) == 0 {
		d.miss("no Benchmark%s is in bench/results/%s.txt: run bench/record %[2]s", pattern, file)
	}
	return found
}

// number reads what names of benchmarks have: 64, 100k, 1M.
func number(text string) (float64, bool) {
	factor := 1.0
	for suffix, f := range map[string]float64{"k": 1e3, "M": 1e6} {
		if digits, ok := strings.CutSuffix(text, suffix); ok {
			text, factor = digits, f
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	return n * factor, err == nil
}
