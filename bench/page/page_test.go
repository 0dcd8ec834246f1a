package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/page.md anew")

const smallTemplate = `# Small
On {{header "core" "machine"}}; {{dates}}.
{{commands "core"}}

| variant | 0 | 1 M | random | spread |
|---|---|---|---|---|
{{- $held := list "now/held=0" "now/held=1M" ""}}
{{row "core" "ns/op" "table" "Table" $held}}
{{row "core" "ns/op" "mutex map" "TableNaive" $held}}
{{figures "core" "table" "Table/now/held=0" (list "ns/op" "B/op" "" "allocs/op")}}
{{sweep "path" "**in all**, */s" "Latency/rate=*" (list "p50-ms" "p99-ms" "rss-B")}}
{{cells "by lock" (ratio "core" "Table/now/held=0" "Lock" "ns/op") 7 "text"}}
Span {{span (value "core" "Table/now/held=0" "ns/op")}}, worst {{worst (value "core" "Table/now/held=0" "ns/op")}}.

| what | target | measured | |
|---|---|---|---|
{{atMost "table, by lock" 8 (ratio "core" "Table/now/held=0" "Lock" "ns/op") "×"}}
{{atLeast "naive, by table" 6 (ratio "core" "TableNaive/now/held=0" "Table/now/held=0" "ns/op") "×"}}
{{atLeast "a moonshot" (mul 2 20) (ratio "core" "TableNaive/now/held=1M" "Table/now/held=1M" "ns/op") ""}}
{{verdicts}}
{{notMeasured "by Node-RED" "≤ 0.15 ×" "there is no Node-RED here"}}
{{verdicts}}
{{if recorded "path"}}there{{end}}{{if recorded "nodered"}}never{{end}}

{{line "latency" "Latency over rate" (axis "offered" "/s" "log") (axis "latency" "ms")
  (series "p50" "path" "Latency/rate=*" "p50-ms") (points "p99, as reached" "path" "Latency/rate=*" "requests/s" "p99-ms")}}
{{line "memory" "Memory" (axis "held" "") (axis "heap" "B") (totals "naive" "core" "TableNaive/now/held=*" "ns/op")}}

{{$plan := plan (value "path" "HTTP/broker=external-2" "cpu-µs/request") 0.5 (mul 20 1048576) 8192 10000}}
One core carries {{div (mul 1000000 $plan.Utilisation) $plan.CPU}} a second; idle it has {{bytes (add $plan.Base 0)}}.
{{$plan.Table}}

{{$plan.Load 4}}
{{sub 3 1.5}}
`

func TestGolden(t *testing.T) {
	p, err := newPage(read(t, invented), smallTemplate)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("testdata/page.md", p.output[pageFile], 0o666))
	}
	want, err := os.ReadFile("testdata/page.md")
	require.NoError(t, err)
	require.Equal(t, string(want), string(p.output[pageFile]))
	require.Contains(t, string(p.output["bench/pictures/latency.svg"]), "<svg")
	require.Contains(t, string(p.output["bench/pictures/memory.svg"]), "2\u00a0GB", "2000 B for each of a million")
	require.Equal(t, targets{held: 1, missed: 2, unmeasured: 1}, p.targets)

	again, err := newPage(read(t, invented), smallTemplate)
	require.NoError(t, err)
	require.Equal(t, p.output, again.output)
}

func TestTemplatesThatAreWrong(t *testing.T) {
	for name, c := range map[string]struct{ template, want string }{
		"syntax":               {`{{value "core"`, "template.md:1"},
		"no such function":     {`{{avarage "core"}}`, "avarage"},
		"too few arguments":    {`{{value "core"}}`, "wrong number of args"},
		"arithmetic of text":   {`{{mul "3" 4}}`, "number or a figure"},
		"limit":                {`{{atMost "x" "3" 4 ""}}`, "number or a figure"},
		"measured":             {`{{atLeast "x" 3 "4" ""}}`, "number or a figure"},
		"cell":                 {`{{cells "x" nil}}`, "nil"},
		"cell of a kind":       {`{{cells "x" true}}`, "bool"},
		"bytes":                {`{{bytes "1"}}`, "string"},
		"axis":                 {`{{axis "x" "y" "cubic"}}`, "cubic"},
		"plan of three":        {`{{plan 1 2 3}}`, "needs 5"},
		"plan for nothing":     {`{{plan 1 2 3 0 5}}`, "number 4"},
		"plan of text":         {`{{plan 1 2 3 "4" 5}}`, "string"},
		"picture without line": {`{{line "a" "A" (axis "x" "") (axis "y" "")}}`, "0 series"},
		"picture twice": {`{{$s := series "s" "path" "Latency/rate=*" "p50-ms"}}` +
			`{{line "a" "A" (axis "x" "") (axis "y" "") $s}}{{line "a" "A" (axis "x" "") (axis "y" "") $s}}`, "drawn twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newPage(read(t, invented), c.template)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// All that is missing is told at once, and a missing figure holds no target.
func TestPageWithoutData(t *testing.T) {
	d := read(t, invented)
	_, err := newPage(d, `{{value "core" "Gone" "ns/op"}} {{atMost "x" 1 (value "opcua" "Call" "ns/op") ""}}`+
		`{{line "a" "A" (axis "x" "") (axis "y" "") (series "s" "path" "None/*" "ns/op")}}{{plan 1 1 1 1 (value "core" "Too" "ns/op")}}`)
	require.Error(t, err)
	for _, want := range []string{"BenchmarkGone", "opcua.txt", "BenchmarkNone/*", "BenchmarkToo"} {
		require.ErrorContains(t, err, want)
	}
	nothing := targets{}
	verdict, err := nothing.atMost("x", 1, missing, "")
	require.NoError(t, err)
	require.Contains(t, verdict, "missed")
}

func TestPlan(t *testing.T) {
	p, err := newPlan(40, 0.5, 1<<20, 1024, 10_000)
	require.NoError(t, err)
	require.Equal(t, 0.8, p.Cores(10_000))
	require.Equal(t, 1.0, p.Brokers(10_000))
	require.Equal(t, 2.0, p.Brokers(10_001))
	require.Equal(t, 3.0*(1<<20), p.Memory(2048))
	require.Equal(t, []string{
		"1000", "0.08", "2000", "1", "10 · 1.01\u00a0MiB", "100 · 1.1\u00a0MiB", "1000 · 1.98\u00a0MiB", "10\u00a0000 · 10.8\u00a0MiB",
	}, p.columns(1000))
	require.Equal(t, "4 (model)", p.cores(50_000))
	require.Equal(t, []string{"1000", "0.08", "4000", "1"}, p.load(1000, 4))
}

// Files are recorded in any order, and one that does not say when is told.
func TestDates(t *testing.T) {
	of := func(dates ...string) *data {
		d := &data{files: map[string]*file{}}
		for i, date := range dates {
			d.files[string(rune('a'+i))] = &file{header: map[string]string{"date": date}}
		}
		return d
	}
	require.Equal(t, "2026-01-01T00:00Z to 2026-01-03T00:00Z", of("2026-01-02T00:00Z", "2026-01-03T00:00Z", "2026-01-01T00:00Z").dates())
	require.Equal(t, "2026-01-02T00:00Z", of("2026-01-02T00:00Z", "2026-01-02T00:00Z").dates())
	for name, d := range map[string]*data{"a.txt has no line": of(""), "no file": of()} {
		d.dates()
		require.Len(t, d.missing, 1)
		require.Contains(t, d.missing[0], name)
	}
}

// What is written passes the check, and whatever is changed by hand does not.
func TestWriteAndCheck(t *testing.T) {
	root := t.TempDir()
	results := filepath.Join(root, "bench", "results")
	require.NoError(t, os.MkdirAll(results, 0o777))
	for name, text := range invented {
		require.NoError(t, os.WriteFile(filepath.Join(results, name+".txt"), []byte(text), 0o666))
	}
	picture := filepath.Join(root, "bench/pictures/latency.svg")
	stale := filepath.Join(root, "bench/pictures/stale.svg")
	generate := func() error { return run([]string{"-root", root}, smallTemplate, io.Discard) }
	check := func() error { return run([]string{"-root", root, "-check"}, smallTemplate, io.Discard) }
	replace := func(file, old, replacement string) {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(content), old)
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(content), old, replacement, 1)), 0o666))
	}

	err := check()
	require.ErrorContains(t, err, "BENCHMARKS.md")
	require.ErrorContains(t, err, "latency.svg")
	require.NoError(t, generate())
	require.NoError(t, check())

	page := filepath.Join(root, "BENCHMARKS.md")
	replace(page, "# Small", "# Great")
	require.ErrorContains(t, check(), "line 1 is\n\t# Great\nand the data say\n\t# Small")
	require.NoError(t, generate())

	require.NoError(t, os.WriteFile(stale, []byte("<svg/>"), 0o666))
	require.ErrorContains(t, check(), "stale.svg: the page does not show it")
	require.NoError(t, generate())
	require.NoFileExists(t, stale)

	replace(picture, "</svg>", "")
	require.ErrorContains(t, check(), "latency.svg")
	require.NoError(t, generate())

	replace(filepath.Join(results, "core.txt"), "invented, 2 cores", "another")
	require.ErrorContains(t, check(), "another")
	require.NoError(t, generate())
	require.NoError(t, check())

	replace(filepath.Join(results, "core.txt"), "BenchmarkLock ", "BenchmarkKey ")
	before, err := os.ReadFile(page)
	require.NoError(t, err)
	require.ErrorContains(t, generate(), "same rounds")
	after, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, before, after, "nothing is written when something is missing")

	require.Error(t, run([]string{"-what"}, smallTemplate, io.Discard))
	require.NoError(t, os.WriteFile(filepath.Join(results, "core.txt"), []byte("BenchmarkX y\n"), 0o666))
	require.Error(t, generate())
}

func TestFirstDifference(t *testing.T) {
	require.Contains(t, firstDifference("a\nb", "a\nc"), "line 2")
	require.Equal(t, "it has 1 lines, and the data make 2", firstDifference("a", "a\nb"))
}
