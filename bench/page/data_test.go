package main

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// invented are results of two files; nobody has measured them.
var invented = map[string]string{
	"core": `machine: invented, 2 cores
date: 2026-01-02T03:04Z
run: cd core && go test -bench Table
round: 1
goos: linux
pkg: example.org/core
BenchmarkTable/now/held=0-2    1000    50.0 ns/op    0 B/op    0 allocs/op
BenchmarkTable/now/held=1M-2   1000    60.0 ns/op    0 B/op    0 allocs/op
BenchmarkLock                  1000     5.0 ns/op
PASS
run: cd bench/compare && go test -bench Table
BenchmarkTableNaive/now/held=0-2    10    500 ns/op
BenchmarkTableNaive/now/held=1M-2   10   2000 ns/op
round: 2
run: cd core && go test -bench Table
BenchmarkTable/now/held=0-2    1000    40.0 ns/op    0 B/op    0 allocs/op
BenchmarkTable/now/held=1M-2   1000    60.0 ns/op    0 B/op    0 allocs/op
BenchmarkLock                  1000     4.0 ns/op
run: cd bench/compare && go test -bench Table
BenchmarkTableNaive/now/held=0-2    10    800 ns/op
BenchmarkTableNaive/now/held=1M-2   10   2000 ns/op
round: 3
run: cd core && go test -bench Table
BenchmarkTable/now/held=0-2    1000    90.0 ns/op    0 B/op    0 allocs/op
BenchmarkTable/now/held=1M-2   1000    60.0 ns/op    0 B/op    0 allocs/op
BenchmarkLock                  1000     6.0 ns/op
run: cd bench/compare && go test -bench Table
BenchmarkTableNaive/now/held=0-2    10    600 ns/op
BenchmarkTableNaive/now/held=1M-2   10   2000 ns/op
`,
	"path": `machine: invented, 2 cores
date: 2026-01-02T03:02Z
round: 1
BenchmarkLatency/rate=10k-2     1    9000 requests/s    1.5 p50-ms    4.0 p99-ms   0 lost   3145728 rss-B
BenchmarkLatency/rate=1000-2    1    1000 requests/s    0.5 p50-ms    2.0 p99-ms   0 lost   3145728 rss-B
BenchmarkLatency/rate=most-2    1   12000 requests/s    8.5 p50-ms   90.0 p99-ms   0 lost   3145728 rss-B
BenchmarkHTTP/broker=external-2 1      40 cpu-µs/request
BenchmarkHTTP/broker=external   1      30 cpu-µs/request
`,
}

func read(t *testing.T, files map[string]string) *data {
	t.Helper()
	folder := fstest.MapFS{"README.md": {Data: []byte("not a result")}}
	for name, text := range files {
		folder[name+".txt"] = &fstest.MapFile{Data: []byte(text)}
	}
	d, err := readData(folder)
	require.NoError(t, err)
	return d
}

func TestRead(t *testing.T) {
	d := read(t, invented)
	require.Len(t, d.files, 2)
	core := d.files["core"]
	require.Equal(t, "invented, 2 cores", core.header["machine"])
	require.Equal(t, []string{"cd core && go test -bench Table", "cd bench/compare && go test -bench Table"}, core.commands)
	require.Equal(t, []string{
		"Table/now/held=0-2", "Table/now/held=1M-2", "Lock-1", "TableNaive/now/held=0-2", "TableNaive/now/held=1M-2",
	}, core.names)
	require.Equal(t, []sample{
		{"1", map[string]float64{"ns/op": 5}}, {"2", map[string]float64{"ns/op": 4}}, {"3", map[string]float64{"ns/op": 6}},
	}, core.series["Lock-1"])
}

func TestReadWhatIsNoResult(t *testing.T) {
	_, err := readData(fstest.MapFS{"core.txt": {Data: []byte("BenchmarkTable 100 fast ns/op\n")}})
	require.ErrorContains(t, err, "core.txt:1: ")
	require.ErrorContains(t, err, "bench/record core")
	_, err = readData(fstest.MapFS{"core.txt": {Data: []byte("round: 1\nBenchmarkA-2 1 1 ns/op\nBenchmarkA-2 1 2 ns/op\n")}})
	require.ErrorContains(t, err, "core.txt:3: BenchmarkA-2 is twice in round 1")
}

func TestValue(t *testing.T) {
	d := read(t, invented)
	require.Equal(t, figure{50, []float64{50, 40, 90}}, d.value("core", "Table/now/held=0", "ns/op"))
	require.Equal(t, figure{5, []float64{5, 4, 6}}, d.value("core", "Lock-1", "ns/op"))
	require.Equal(t, figure{40, []float64{40}}, d.value("path", "HTTP/broker=external-2", "cpu-µs/request"))
	require.Empty(t, d.missing)
}

// The value is the ratio of the medians, the rounds have their own.
func TestRatio(t *testing.T) {
	d := read(t, invented)
	f := d.ratio("core", "TableNaive/now/held=0", "Table/now/held=0", "ns/op")
	require.Empty(t, d.missing)
	require.Equal(t, 12.0, f.mid)
	require.InDeltaSlice(t, []float64{10, 20, 600. / 90}, f.rounds, 1e-9)
}

func TestMissing(t *testing.T) {
	uneven := map[string]string{"core": "round: 1\nBenchmarkA 1 1 ns/op\nBenchmarkB 1 1 ns/op\nround: 2\nBenchmarkA 1 1 ns/op\n" +
		"BenchmarkZero 1 0 ns/op\nround: 3\nBenchmarkC 1 1 ns/op\nBenchmarkD 1 1 ns/op 1 B/op\nround: 4\nBenchmarkD 1 1 ns/op\n"}
	for name, c := range map[string]struct {
		ask  func(d *data)
		want []string
	}{
		"a file": {func(d *data) { d.value("opcua", "A", "ns/op") },
			[]string{"bench/results/opcua.txt", "bench/record opcua"}},
		"a file of a pattern": {func(d *data) { d.match("opcua", "A/*") },
			[]string{"bench/results/opcua.txt", "bench/record opcua"}},
		"a benchmark": {func(d *data) { d.value("core", "Wheel/arm", "ns/op") },
			[]string{"BenchmarkWheel/arm", "bench/results/core.txt", "bench/record core"}},
		"a pattern": {func(d *data) { d.match("core", "Wheel/held=*") },
			[]string{"BenchmarkWheel/held=*", "bench/results/core.txt", "bench/record core"}},
		"a unit": {func(d *data) { d.value("core", "A", "p99-ms") },
			[]string{"BenchmarkA", "p99-ms", "round 1", "bench/record core"}},
		"a unit in one round": {func(d *data) { d.value("core", "D", "B/op") },
			[]string{"BenchmarkD", "B/op", "round 4", "bench/record core"}},
		"a side of a ratio": {func(d *data) { d.ratio("core", "A", "E", "ns/op") },
			[]string{"BenchmarkE", "bench/record core"}},
		"a round of a ratio": {func(d *data) { d.ratio("core", "A", "B", "ns/op") },
			[]string{"BenchmarkA", "BenchmarkB", "same rounds"}},
		"another round": {func(d *data) { d.ratio("core", "B", "C", "ns/op") },
			[]string{"BenchmarkB", "BenchmarkC", "same rounds"}},
		"a divisor": {func(d *data) { d.ratio("core", "Zero", "Zero", "ns/op") },
			[]string{"BenchmarkZero", "no number"}},
		"a line of the header": {func(d *data) { d.header("core", "machine") },
			[]string{"machine:", "bench/record core"}},
		"the header of a file": {func(d *data) { d.header("opcua", "machine") },
			[]string{"bench/results/opcua.txt"}},
		"commands": {func(d *data) { d.commands("core") },
			[]string{"run:", "bench/record core"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := read(t, uneven)
			c.ask(d)
			c.ask(d)
			require.Len(t, d.missing, 1, "told once")
			for _, want := range c.want {
				require.Contains(t, d.missing[0], want)
			}
		})
	}
}

func TestWithHowManyProcessors(t *testing.T) {
	d := read(t, invented)
	d.value("path", "HTTP/broker=external", "cpu-µs/request")
	require.Len(t, d.missing, 1)
	require.Contains(t, d.missing[0], "HTTP/broker=external-2, HTTP/broker=external-1")
}

func TestMatch(t *testing.T) {
	d := read(t, invented)
	require.Equal(t, []point{{"Latency/rate=10k-2", 10_000}, {"Latency/rate=1000-2", 1000}}, d.match("path", "Latency/rate=*"))
	require.Equal(t, []point{{"Table/now/held=0-2", 0}, {"Table/now/held=1M-2", 1e6}}, d.match("core", "Table/now/held=*"))
	require.Empty(t, d.missing)
}
