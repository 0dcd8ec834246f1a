package chart

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"
)

// Sizes in pixels.
const (
	width, plotHeight = 760, 300
	margin            = 24
	small, large      = 12, 16 // of letters
	titleLine         = 30     // below it are the others
	legendRow         = 20
	legendLine        = 36 // how long a line is that stands for a series
	maxMarked         = 60 // points of a series that has markers
)

// look is how a series is told from others.
type look struct{ colour, dash, marker string }

// looks has markers as paths around a point, some eight pixels wide.
var looks = [MaxSeries]look{
	{"#0072b2", "", "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z"},        // disc
	{"#d55e00", "9 4", "m-3.5-3.5h7v7h-7z"},                      // square
	{"#009e73", "2 3", "m0-5l4.7 8.4h-9.4z"},                     // triangle
	{"#cc79a7", "10 3 2 3", "m0-5l5 5l-5 5l-5-5z"},               // diamond
	{"#e69f00", "5 3", "m0 5l4.7-8.4h-9.4z"},                     // triangle upside down
	{"#56b4e9", "14 5", "m-4.5-1.5h3v-3h3v3h3v3h-3v3h-3v-3h-3z"}, // plus
	{"#000000", "2 5", "m-4.5-2h9v4h-9z"},                        // bar, flat
	{"#7f7f7f", "8 3 2 3 2 3", "m-2-4.5h4v9h-4z"},                // bar, upright
}

func (s *Series) marked() bool { return len(s.Points) <= maxMarked }

// picture is a chart that is being written.
type picture struct {
	bytes.Buffer
	Chart
	x, y   *scale
	height float64
}

// draw needs a chart that was checked.
func draw(c Chart) []byte {
	p := &picture{Chart: c}
	x, y := bounds(c.Series)
	p.x, p.y = newScale(c.X, x[0], x[1]), newScale(c.Y, y[0], y[1])
	p.place()
	fmt.Fprintf(p, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%[2]g" viewBox="0 0 %[1]d %[2]g" `+
		`font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" font-size="%[3]d" fill="#222">`+"\n", width, p.height, small)
	fmt.Fprintf(p, "<title>%s</title>\n", escaped(c.Title))
	fmt.Fprintf(p, `<rect width="%d" height="%g" fill="#fff"/>`+"\n", width, p.height)
	p.text(margin, titleLine, "start", fmt.Sprintf(` font-size="%d" font-weight="bold"`, large), c.Title)
	p.legend()
	p.grid()
	for i := range c.Series {
		p.line(&c.Series[i], looks[i])
	}
	p.WriteString("</svg>\n")
	return p.Bytes()
}

// bounds are the least and the most of each axis.
func bounds(series []Series) (x, y [2]float64) {
	x, y = [2]float64{math.Inf(1), math.Inf(-1)}, [2]float64{math.Inf(1), math.Inf(-1)}
	for i := range series {
		for _, p := range series[i].Points {
			x = [2]float64{min(x[0], p.X), max(x[1], p.X)}
			y = [2]float64{min(y[0], p.Y), max(y[1], p.Y)}
		}
	}
	return x, y
}

// place says where the plot is: below title, legend and the label of y, right of the labels.
func (p *picture) place() {
	labels := 0.0
	for _, t := range p.y.ticks {
		labels = max(labels, wide(t.label))
	}
	_, rows := p.columns()
	top := titleLine + 20 + float64(rows)*legendRow + 30
	p.x.from, p.x.to = margin+labels+8, float64(width-margin-12)
	p.y.from, p.y.to = top+plotHeight, top
	p.height = p.y.from + 60
}

// wide is how many pixels a text takes, at most, in small letters of most fonts. A conversion around
// a product keeps a machine from rounding it together with a sum, to another result than others.
func wide(text string) float64 { return float64(float64(utf8.RuneCountInString(text)) * small * 0.58) }

// columns is how the legend is laid out.
func (p *picture) columns() (pitch float64, rows int) {
	for i := range p.Series {
		pitch = max(pitch, legendLine+8+wide(p.Series[i].Name)+20)
	}
	n := max(1, int((width-2*margin)/pitch))
	return pitch, (len(p.Series) + n - 1) / n
}

// legend goes down the columns.
func (p *picture) legend() {
	pitch, rows := p.columns()
	for i := range p.Series {
		x, y := margin+float64(float64(i/rows)*pitch), titleLine+24+float64(i%rows)*legendRow
		p.stroke(looks[i], fmt.Sprintf("M%s %sh%d", px(x), px(y), legendLine))
		if p.Series[i].marked() {
			fmt.Fprintf(p, `<path d="M%s %s%s" fill="%s"/>`+"\n", px(x+legendLine/2), px(y), looks[i].marker, looks[i].colour)
		}
		p.text(x+legendLine+8, y+4, "start", "", p.Series[i].Name)
	}
}

// grid draws both axes.
func (p *picture) grid() {
	for _, t := range p.x.ticks {
		at := p.x.pixel(t.at)
		p.rule(t, fmt.Sprintf("M%s %sV%s", px(at), px(p.y.from), px(p.y.to)))
		p.text(at, p.y.from+18, "middle", "", t.label)
	}
	for _, t := range p.y.ticks {
		at := p.y.pixel(t.at)
		p.rule(t, fmt.Sprintf("M%s %sH%s", px(p.x.from), px(at), px(p.x.to)))
		p.text(p.x.from-8, at+4, "end", "", t.label)
	}
	fmt.Fprintf(p, `<path d="M%s %sV%sH%s" fill="none" stroke="#555"/>`+"\n", px(p.x.from), px(p.y.to), px(p.y.from), px(p.x.to))
	p.text(margin, p.y.to-14, "start", ` fill="#555"`, p.Y.Label)
	p.text((p.x.from+p.x.to)/2, p.y.from+42, "middle", ` fill="#555"`, p.X.Label)
}

func (p *picture) rule(t tick, path string) {
	colour := "#ddd"
	if t.label == "" {
		colour = "#f0f0f0"
	}
	fmt.Fprintf(p, `<path d="%s" stroke="%s"/>`+"\n", path, colour)
}

// line draws a series, and its points above the line.
func (p *picture) line(s *Series, l look) {
	points := slices.Clone(s.Points)
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	var path bytes.Buffer
	for i, q := range points {
		path.WriteByte("ML"[min(i, 1)])
		path.WriteString(px(p.x.pixel(q.X)) + " " + px(p.y.pixel(q.Y)))
	}
	p.stroke(l, path.String())
	if !s.marked() {
		return
	}
	for _, q := range points {
		fmt.Fprintf(p, `<path d="M%s %s%s" fill="%s" stroke="#fff" stroke-width=".7"><title>%s</title></path>`+"\n", px(p.x.pixel(q.X)), px(p.y.pixel(q.Y)),
			l.marker, l.colour, escaped(s.Name+": "+p.x.format(q.X)+", "+p.y.format(q.Y)))
	}
}

func (p *picture) stroke(l look, path string) {
	dash := ""
	if l.dash != "" {
		dash = ` stroke-dasharray="` + l.dash + `"`
	}
	fmt.Fprintf(p, `<path d="%s" fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round"%s/>`+"\n", path, l.colour, dash)
}

func (p *picture) text(x, y float64, anchor, more, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(p, `<text x="%s" y="%s" text-anchor="%s"%s>%s</text>`+"\n", px(x), px(y), anchor, more, escaped(text))
}

func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a Buffer takes everything
	return b.String()
}

// px writes a coordinate, to a tenth of a pixel.
func px(v float64) string { return fmt.Sprintf("%g", math.Round(v*10)/10) }
