package commission

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxProblems bounds how many problems are collected; what comes after is counted only.
const maxProblems = 500

// report collects problems.
type report struct {
	all     []Problem
	seen    map[Problem]bool // those in all: what several references lead to is told once
	more    int              // that were not collected
	moreBad bool             // an error among them
	failed  bool             // an error among all of them
	notices map[string]bool  // warnings of features, which are given once
}

func (r *report) full() bool { return len(r.all) >= maxProblems }

func (r *report) add(p Problem) {
	p.Text, p.Hint = printable(p.Text), printable(p.Hint)
	if r.seen[p] {
		return
	}
	r.failed = r.failed || !p.Warning
	if r.full() {
		r.more++
		r.moreBad = r.moreBad || !p.Warning
		return
	}
	if r.seen == nil {
		r.seen = map[Problem]bool{}
	}
	r.seen[p] = true
	r.all = append(r.all, p)
}

func (r *report) errorf(at Position, format string, args ...any) {
	r.add(Problem{Pos: at, Text: fmt.Sprintf(format, args...)})
}

func (r *report) warnf(at Position, format string, args ...any) {
	r.add(Problem{Pos: at, Text: fmt.Sprintf(format, args...), Warning: true})
}

// noticef warns of a feature once, however often it is used.
func (r *report) noticef(at Position, feature, format string, args ...any) {
	if r.notices[feature] {
		return
	}
	if r.notices == nil {
		r.notices = map[string]bool{}
	}
	r.notices[feature] = true
	r.warnf(at, format, args...)
}

// unknown reports a name that is none of known, with the nearest that is.
func (r *report) unknown(at Position, what, name string, known []string) {
	p := Problem{Pos: at, Text: fmt.Sprintf("unknown %s %q", what, clip(name))}
	if !r.full() {
		p.Hint = didYouMean(name, known)
	}
	r.add(p)
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
	if r.more > 0 {
		last := r.all[len(r.all)-1].Pos
		return append(r.all, Problem{Pos: Position{File: last.File}, Text: fmt.Sprintf("and %d more problems", r.more), Warning: !r.moreBad})
	}
	return r.all
}

// clip keeps what a problem quotes short.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// printable keeps what a file contains from steering the terminal that shows it.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		if unicode.IsPrint(c) {
			b.WriteRune(c)
			continue
		}
		b.WriteString(strings.Trim(strconv.QuoteRune(c), "'"))
	}
	return b.String()
}
