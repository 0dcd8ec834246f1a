package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// data is what was recorded.
type data struct {
	files   map[string]*file
	missing []string // what was asked for and is not there
}

// file is one file of results.
type file struct {
	name     string
	header   map[string]string // of its first result
	commands []string          // in their order, each once
	series   map[string][]sample
	names    []string // of the series, as they are in the file
}

// sample is what a benchmark said in one round.
type sample struct {
	round string
	units map[string]float64
}

// readData reads all files *.txt of a folder.
func readData(folder fs.FS) (*data, error) {
	names, err := fs.Glob(folder, "*.txt")
	if err != nil {
		return nil, err
	}
	d := &data{files: map[string]*file{}}
	for _, name := range names {
		f, err := readFile(folder, name)
		if err != nil {
			return nil, err
		}
		d.files[f.name] = f
	}
	return d, nil
}

func readFile(folder fs.FS, name string) (*file, error) {
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, err
	}
	f := &file{name: strings.TrimSuffix(path.Base(name), ".txt"), series: map[string][]sample{}}
	lines := benchfmt.NewReader(bytes.NewReader(text), name)
	for lines.Scan() {
		switch line := lines.Result().(type) {
		case *benchfmt.Result:
			if err := f.add(line); err != nil {
				return nil, err
			}
		case *benchfmt.SyntaxError:
			return nil, fmt.Errorf("%w: record it again with bench/record %s", line, f.name)
		}
	}
	return f, lines.Err()
}

// add takes one line. It keeps nothing of it.
func (f *file) add(r *benchfmt.Result) error {
	if f.header == nil {
		f.header = map[string]string{}
		for _, c := range r.Config {
			f.header[c.Key] = string(c.Value)
		}
	}
	if run := r.GetConfig("run"); run != "" && !slices.Contains(f.commands, run) {
		f.commands = append(f.commands, run)
	}
	name := fullName(r.Name)
	if _, ok := f.series[name]; !ok {
		f.names = append(f.names, name)
	}
	s := sample{round: r.GetConfig("round"), units: map[string]float64{}}
	for _, v := range r.Values {
		if v.OrigUnit != "" { // as it was written, ns/op rather than sec/op
			v.Unit, v.Value = v.OrigUnit, v.OrigValue
		}
		s.units[v.Unit] = v.Value
	}
	if before := f.series[name]; len(before) > 0 && s.round != "" && before[len(before)-1].round == s.round {
		source, line := r.Pos()
		return fmt.Errorf("%s:%d: Benchmark%s is twice in round %s: two packages must not share a name in a file", source, line, name, s.round)
	}
	f.series[name] = append(f.series[name], s)
	return nil
}

// fullName is the name with the number of processors, which is not printed when it is one.
func fullName(n benchfmt.Name) string {
	_, parts := n.Parts()
	if len(parts) > 0 && parts[len(parts)-1][0] == '-' {
		return n.String()
	}
	return n.String() + "-1"
}

// without is a full name without its number of processors.
func without(full string) string { return full[:strings.LastIndexByte(full, '-')] }

// find gives the samples of a benchmark. Those who leave out the number of processors mean the only
// one with which it ran.
func (d *data) find(fileName, benchmark string) ([]sample, bool) {
	f, ok := d.files[fileName]
	if !ok {
		d.miss("bench/results/%s.txt is not there: run bench/record %[1]s", fileName)
		return nil, false
	}
	if samples, ok := f.series[benchmark]; ok {
		return samples, true
	}
	var full []string
	for _, name := range f.names {
		if without(name) == benchmark {
			full = append(full, name)
		}
	}
	switch len(full) {
	case 0:
		d.miss("Benchmark%s is not in bench/results/%s.txt: run bench/record %[2]s", benchmark, fileName)
		return nil, false
	case 1:
		return f.series[full[0]], true
	}
	d.miss("Benchmark%s is %d times in bench/results/%s.txt: the template must say which of %s",
		benchmark, len(full), fileName, strings.Join(full, ", "))
	return nil, false
}

// miss notes what is missing. The page is not written then, but all of it is told at once.
func (d *data) miss(format string, args ...any) {
	if what := fmt.Sprintf(format, args...); !slices.Contains(d.missing, what) {
		d.missing = append(d.missing, what)
	}
}
