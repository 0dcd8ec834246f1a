// Command page writes BENCHMARKS.md and its pictures from what bench/record has recorded in
// bench/results, so that no figure on the page is typed by hand.
//
//	go run ./bench/page          write the page and its pictures
//	go run ./bench/page -check   change nothing; fail and tell what differs
//
// # Words
//
//   - file: a file of results in Go's benchmark format (golang.org/design/14313-benchmark-format),
//     called by its name without .txt. Its header says on what machine and how it was recorded.
//   - round: one run of each benchmark of a file, in turn. A file has several of them, so that a
//     machine that becomes slower does so for all of its benchmarks.
//   - series: what one benchmark said, round by round. Its name is without "Benchmark", and without
//     the number of processors at its end if it ran with one such number only.
//   - figure: a number with those of the rounds it comes from. Its value is their median.
//   - ratio: one figure by another of the same file: the ratio of their medians; the range is that
//     of the rounds, each with its own.
//   - target: what was set out to be reached. It is held or it is missed, and a median decides.
//
// # What it does not do
//
// It invents nothing. If a benchmark, a unit or a file is not there, or if the two sides of a ratio
// do not have the same rounds, then nothing is written, and the error names everything that is
// missing, with the command that records it.
//
// # The template
//
// template.md is a text/template. Where a function wants a number, a figure will do as well.
//
//	value FILE BENCHMARK UNIT          figure
//	ratio FILE BENCHMARK OTHER UNIT    figure: the first by the other
//	mul, div, add, sub NUMBER NUMBER   figure, round by round
//	span FIGURE                        its least and its greatest round: "51 to 60"
//	worst FIGURE                       its greatest round, as a figure
//	list TEXT...                       what the next three take several of
//	row FILE UNIT LABEL BENCHMARK LIST row of a table: medians of BENCHMARK/BELOW for each of the
//	                                   list, and the widest spread among them; "" is a dash
//	figures FILE LABEL BENCHMARK LIST  row of a table: medians of one benchmark in several units
//	sweep FILE LABEL BENCHMARK LIST    such a row for each that matches the * of BENCHMARK, which is
//	                                   where the label has one, too
//	cells LABEL NUMBER...              row of a table
//	bytes NUMBER                       "12.5 MiB"
//	atMost WHAT LIMIT NUMBER UNIT      row of the table of targets; atLeast likewise
//	notMeasured WHAT LIMIT WHY         row of the table of targets without a figure
//	verdicts                           "12 held, 1 missed": of the targets so far
//	recorded FILE                      is there such a file? For those that make bench leaves out
//	header FILE KEY                    line of a file's header
//	commands FILE                      the commands that a file was recorded with
//	plan CPU UTILISATION BASE HELD BROKER   see [plan]
//	line NAME TITLE AXIS AXIS SERIES...     picture bench/pictures/NAME.svg, x and y
//	axis LABEL UNIT [log]
//	series LABEL FILE BENCHMARK UNIT   points: BENCHMARK has a * where x is, as in held=*
//	totals LABEL FILE BENCHMARK UNIT   the same, UNIT times x, from nothing on
//	points LABEL FILE BENCHMARK X Y    points: both coordinates are units, of all that match the *
package main
