package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// row is a row of a table: the medians of what is below a benchmark, in one unit, and the widest
// spread among them.
func (d *data) row(file, unit, label, benchmark string, below []string) string {
	columns := []string{label}
	spread := 0.0
	for _, b := range below {
		if b == "" { // what this one cannot do
			columns = append(columns, "–")
			continue
		}
		f := d.value(file, benchmark+"/"+b, unit)
		columns, spread = append(columns, f.String()), max(spread, f.spread())
	}
	return line(append(columns, fmt.Sprintf("%.0f %%", 100*spread))...)
}

// figures is a row of a table: the medians of one benchmark in several units. Those that end in -B
// are bytes and may be many.
func (d *data) figures(file, label, benchmark string, units []string) string {
	columns := []string{label}
	for _, unit := range units {
		if unit == "" { // what this one does not have
			columns = append(columns, "–")
			continue
		}
		f := d.value(file, benchmark, unit)
		if strings.HasSuffix(unit, "-B") {
			columns = append(columns, inBytes(f.mid))
			continue
		}
		columns = append(columns, f.String())
	}
	return line(columns...)
}

// sweep is a row for each benchmark that matches a pattern, in the order of what its star stands for.
// The label's last star stands for the same.
func (d *data) sweep(file, label, pattern string, units []string) string {
	found := d.match(file, pattern)
	slices.SortStableFunc(found, func(a, b point) int { return cmp.Compare(a.at, b.at) })
	var rows []string
	for _, p := range found {
		before, behind := label, ""
		if star := strings.LastIndexByte(label, '*'); star >= 0 {
			before, behind = label[:star]+digits(p.at), label[star+1:]
		}
		rows = append(rows, d.figures(file, before+behind, p.benchmark, units))
	}
	return strings.Join(rows, "\n")
}

// cells is a row of a table.
func cells(label string, numbers ...any) (string, error) {
	columns := []string{label}
	for _, n := range numbers {
		if text, ok := n.(string); ok {
			columns = append(columns, text)
			continue
		}
		f, err := toFigure(n)
		if err != nil {
			return "", err
		}
		columns = append(columns, f.String())
	}
	return line(columns...), nil
}

// list is what rows take several of.
func list(items ...string) []string { return items }

func line(columns ...string) string { return "| " + strings.Join(columns, " | ") + " |" }

// targets counts what was held, what was missed, and what nobody has measured.
type targets struct{ held, missed, unmeasured int }

// atMost is a row of the table of targets: what must not be above a limit.
func (t *targets) atMost(what string, limit, measured any, unit string) (string, error) {
	return t.judge(what, "≤", limit, measured, unit, func(limit, measured float64) bool { return measured <= limit })
}

// atLeast is the same for what must not be below.
func (t *targets) atLeast(what string, limit, measured any, unit string) (string, error) {
	return t.judge(what, "≥", limit, measured, unit, func(limit, measured float64) bool { return measured >= limit })
}

func (t *targets) judge(what, sign string, limit, measured any, unit string, holds func(limit, measured float64) bool) (string, error) {
	l, err := toFigure(limit)
	if err != nil {
		return "", err
	}
	m, err := toFigure(measured)
	if err != nil {
		return "", err
	}
	verdict := "**missed**"
	if t.missed++; holds(l.mid, m.mid) { // never of NaN
		verdict = "held"
		t.held, t.missed = t.held+1, t.missed-1
	}
	if unit != "" {
		unit = "\u00a0" + unit
	}
	found := m.String() + unit
	if len(m.rounds) > 1 {
		found += " (" + m.span() + ")"
	}
	return line(what, sign+" "+l.String()+unit, found, verdict), nil
}

// notMeasured is a row of the table of targets for which there is no figure; why says so.
func (t *targets) notMeasured(what, limit, why string) string {
	t.unmeasured++
	return line(what, limit, why, "not measured")
}

// verdicts sums up.
func (t *targets) verdicts() string {
	text := fmt.Sprintf("%d held, %d missed", t.held, t.missed)
	if t.unmeasured > 0 {
		text += fmt.Sprintf(", %d not measured", t.unmeasured)
	}
	return text
}
