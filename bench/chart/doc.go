// Package chart draws line charts as SVG: how y goes with x, for several series. `flowsync load
// --plot` and the page of benchmarks use it.
//
// # What a reader may rely on
//
//   - Equal charts are equal bytes, on every machine: what is drawn depends on the data alone, and
//     coordinates are rounded to a tenth of a pixel. A check can compare files.
//   - A linear axis has zero on it, so that twice as high is twice as much. A logarithmic axis
//     reaches from one step of 1, 2, 5 to another.
//   - Series differ by colour, dash and marker, so that the chart can be read by the colour-blind,
//     and on paper. The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008),
//     but for their yellow, which is hard to see on the white ground that every chart has.
//   - Texts are texts: they can be selected and searched for, in whatever sans-serif the reader
//     has. Their widths are estimated, on the large side, since the font is not known here. Points
//     tell their values when pointed at.
//   - Everything is bounded: see the constants. A chart that cannot be drawn is an error that says
//     which point is at fault, and nothing is written.
//
// # Why it is not a library
//
// The command carries this package, and two libraries were weighed. gonum.org/v1/plot v0.17.0 adds
// 7.4 MB to a program, most of it fonts and the writers of PDF, LaTeX and bitmaps, which cannot be
// left out. github.com/go-analyze/charts v0.6.4 adds 2.5 MB, but its logarithmic axis ends at 1, below
// which a latency of 0.5 ms vanishes, has a tick for each decade only, and its markers are all
// circles. What is needed here is some four hundred lines, and adds 70 KB.
package chart
