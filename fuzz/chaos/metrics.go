//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// sample is one of the gateway's metrics.
type sample struct {
	name   string
	labels map[string]string
	value  float64
}

// metrics are what the gateway tells of itself.
type metrics []sample

// readMetrics reads the text format of Prometheus, as far as the gateway uses it: labels have no
// escapes.
func readMetrics(from io.Reader) (m metrics, err error) {
	in := bufio.NewScanner(from)
	for in.Scan() {
		line := in.Text()
		at := strings.LastIndexByte(line, ' ')
		if line == "" || line[0] == '#' || at < 0 {
			continue
		}
		s := sample{name: line[:at]}
		if s.value, err = strconv.ParseFloat(line[at+1:], 64); err != nil {
			return nil, fmt.Errorf("metrics: %q: %w", line, err)
		}
		if name, labels, ok := strings.Cut(s.name, "{"); ok {
			s.name, s.labels = name, readLabels(strings.TrimSuffix(labels, "}"))
		}
		m = append(m, s)
	}
	return m, in.Err()
}

func readLabels(text string) map[string]string {
	labels := make(map[string]string)
	for part := range strings.SplitSeq(text, ",") {
		if name, value, ok := strings.Cut(part, "="); ok {
			labels[name] = strings.Trim(value, `"`)
		}
	}
	return labels
}

// sum is that of all samples of a metric.
func (m metrics) sum(name string) (sum float64) {
	for _, s := range m {
		if s.name == name {
			sum += s.value
		}
	}
	return sum
}

// by are the samples of a metric of one node, by another label.
func (m metrics) by(name, node, label string) map[string]uint64 {
	values := make(map[string]uint64)
	for _, s := range m {
		if s.name == name && s.labels["node"] == node {
			values[s.labels[label]] += uint64(s.value)
		}
	}
	return values
}

// metrics asks the gateway.
func (s *site) metrics(ctx context.Context) (metrics, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.place.admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	request.Close = true // nothing is left open
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	defer reply.Body.Close()
	return readMetrics(reply.Body)
}

// Names of metrics.
const (
	begunMetric    = "flowsync_transactions_begun_total"
	endedMetric    = "flowsync_transactions_total"
	heldMetric     = "flowsync_held"
	answersMetric  = "flowsync_answers_total"
	repeatsMetric  = "flowsync_idempotency_requests_total"
	lateMetric     = "flowsync_late_seconds"
	heapMetric     = "go_memstats_heap_alloc_bytes"
	routinesMetric = "go_goroutines"
	filesMetric    = "process_open_fds"
)

// counters are those of all nodes, for the history.
func (m metrics) counters(life uint32) (all []history.Counters) {
	for i := range nodes {
		name := service + "/" + nodes[i].Name // as the gateway calls it
		c := history.Counters{
			Life: life, Node: nodes[i].Name,
			Outcomes: m.by(endedMetric, name, "outcome"), Answers: m.by(answersMetric, name, "kind"),
		}
		for _, n := range m.by(begunMetric, name, "") {
			c.Begun += n
		}
		for _, n := range m.by(heldMetric, name, "") {
			c.Held += n
		}
		if repeats := m.by(repeatsMetric, name, "kind"); len(repeats) > 0 {
			c.Repeats = repeats
		}
		all = append(all, c)
	}
	return all
}
