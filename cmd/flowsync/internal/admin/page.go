package admin

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// maxRows is how many nodes the page shows; /metrics has them all.
const maxRows = 200

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// pagePolicy allows the page's own style and nothing else: no script, no frame, no request.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// view is what the page shows.
type view struct {
	Title    string
	Time     time.Time
	Reasons  []string // why it is not ready
	Outcomes []core.Outcome
	Nodes    []nodeRow
	More     int // nodes that are not shown
	Strays   []StrayEntry
	Total    uint64 // strays ever
}

type nodeRow struct {
	Name, Topic string
	Begun, Held uint64
	Ended       []uint64 // as view.Outcomes
	Strays      uint64   // answers that completed nothing
}

func (s *Server) page(w http.ResponseWriter, _ *http.Request) {
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, s.view()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", pagePolicy)
	_, _ = w.Write(text.Bytes())
}

func (s *Server) view() view {
	v := view{Title: s.options.Title, Time: time.Now(), Reasons: s.options.Ready(), Outcomes: core.Outcomes()}
	nodes := s.options.Engine.Nodes()
	if len(nodes) > maxRows {
		v.More, nodes = len(nodes)-maxRows, nodes[:maxRows]
	}
	for _, node := range nodes {
		v.Nodes = append(v.Nodes, rowOf(node, s.options.Engine.Stats(node)))
	}
	if s.options.Recent != nil {
		v.Strays, v.Total = s.options.Recent.Latest()
	}
	return v
}

func rowOf(node *core.Node, stats core.NodeStats) nodeRow {
	row := nodeRow{Name: node.Name(), Topic: node.Topic(), Begun: stats.Begun, Held: stats.Held}
	for _, o := range core.Outcomes() {
		row.Ended = append(row.Ended, stats.Ended[o])
	}
	for _, k := range core.AnswerKinds() {
		if k != core.Matched && k != core.Extended {
			row.Strays += stats.Answers[k]
		}
	}
	return row
}
