package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// metrics are the samples that a flowsync tells: name with labels → value.
type metrics map[string]float64

// metrics reads them from the operator's address of the site's flowsync.
func (s *Site) metrics(ctx context.Context) (metrics, error) {
	if s.admin == "" {
		return nil, errors.New("bench: this gateway tells nothing of itself")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	request.Close = true // nothing is left open
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("bench: metrics: %w", err)
	}
	defer reply.Body.Close()
	m := metrics{}
	lines := bufio.NewScanner(reply.Body)
	for lines.Scan() {
		sample, text, ok := strings.Cut(lines.Text(), "} ")
		if ok {
			sample += "}"
		} else if sample, text, ok = strings.Cut(lines.Text(), " "); !ok {
			continue
		}
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			m[sample] = value
		}
	}
	return m, lines.Err()
}

// sum is that of the samples of a metric whose labels have the text.
func (m metrics) sum(name, label string) (sum float64) {
	for sample, value := range m {
		if rest, ok := strings.CutPrefix(sample, name); ok && (rest == "" || rest[0] == '{') && strings.Contains(rest, label) {
			sum += value
		}
	}
	return sum
}

// buckets are what came into a histogram, by the upper bounds of its buckets in seconds, of all
// samples whose labels have the text.
func (m metrics) buckets(name, label string) map[float64]float64 {
	all := map[float64]float64{}
	for sample, value := range m {
		rest, ok := strings.CutPrefix(sample, name+"_bucket{")
		_, bound, has := strings.Cut(rest, `le="`)
		if !ok || !has || !strings.Contains(rest, label) {
			continue
		}
		bound, _, _ = strings.Cut(bound, `"`)
		if upper, err := strconv.ParseFloat(bound, 64); err == nil { // +Inf is one
			all[upper] += value
		}
	}
	return all
}

// pollEvery is how often is looked whether something has come about that nothing tells of.
const pollEvery = 20 * time.Millisecond

// awaitHeld waits until the gateway holds so many requests: at least, or at most.
func (s *Site) awaitHeld(ctx context.Context, enough func(held int) bool) error {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	for {
		m, err := s.metrics(ctx)
		if err != nil {
			return err
		}
		held := int(m.sum("flowsync_held", ""))
		if enough(held) {
			return nil
		}
		if err := wait(ctx, pollEvery, nil); err != nil {
			return fmt.Errorf("bench: %d requests are held: %w", held, err)
		}
	}
}
