package commission

import (
	"fmt"
	"slices"
	"strings"
)

// maxProblems bounds how many problems are collected; what comes after is counted only.
const maxProblems = 500

// report collects problems.
type report struct {
	all     []Problem
	omitted int
	failed  bool // there is an error among them
}

func (r *report) add(p Problem) {
	r.failed = r.failed || !p.Warning
	if len(r.all) >= maxProblems {
		r.omitted++
		return
	}
	r.all = append(r.all, p)
}

func (r *report) errorf(at Position, format string, args ...any) {
	r.add(Problem{Pos: at, Text: fmt.Sprintf(format, args...)})
}

func (r *report) warnf(at Position, format string, args ...any) {
	r.add(Problem{Pos: at, Text: fmt.Sprintf(format, args...), Warning: true})
}

// unknown reports a name that is none of known, with the nearest that is.
func (r *report) unknown(at Position, what, name string, known []string) {
	r.add(Problem{Pos: at, Text: fmt.Sprintf("unknown %s %q", what, clip(name)), Hint: didYouMean(name, known)})
}

// problems returns all of them in the order of files and lines.
func (r *report) problems(files []string) []Problem {
	slices.SortStableFunc(r.all, func(a, b Problem) int {
		if a.Pos.File != b.Pos.File {
			return slices.Index(files, a.Pos.File) - slices.Index(files, b.Pos.File)
		}
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
	if r.omitted > 0 {
		last := r.all[len(r.all)-1].Pos
		return append(r.all, Problem{Pos: Position{File: last.File}, Text: fmt.Sprintf("and %d more problems", r.omitted)})
	}
	return r.all
}

// didYouMean names what is nearest to name, or all there is if nothing is near.
func didYouMean(name string, known []string) string {
	best, distance := "", 1+max(2, len(name)/3)
	for _, k := range known {
		if d := editDistance(strings.ToLower(name), strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(known) == 0 || len(known) > 24:
		return ""
	default:
		return "want one of " + strings.Join(known, ", ")
	}
}

// editDistance is Levenshtein's, or limit if it is not smaller.
func editDistance(a, b string, limit int) int {
	if len(a) > 100 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
