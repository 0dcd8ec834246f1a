package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"
)

// answering is a route, and the mapping that answers it.
const answering = `description: A request that is answered inside
metadata: {name: bench}
resources:
  http: {type: Cybus::Server::Http, properties: {basePath: /}}
  echo:
    type: Cybus::Node::Http
    properties: {parent: !ref http, method: POST, route: /echo, operation: transaction}
  answer:
    type: Cybus::Mapping
    properties:
      mappings:
        - subscribe: {endpoint: !ref echo}
          rules: [{transform: {expression: '{"id": $.id, "timestamp": $.timestamp, "value": "here"}'}}]
          publish: {endpoint: !ref echo}
`

// Starting starts flowsync with the broker inside, and says how long it takes from then on to the
// first answer.
func Starting(ctx context.Context) (took time.Duration, err error) {
	if _, err := flowsyncFile(); err != nil { // which may take a while
		return 0, err
	}
	var begun time.Time
	path := &Path{Name: "start", Open: func(s *Site) (string, error) {
		file, err := s.File("start.yaml", answering)
		if err != nil {
			return "", err
		}
		begun = time.Now()
		w, err := s.flowsyncWith(file, "--embedded", "127.0.0.1:0")
		return w.http, err
	}}
	err = onSite(path, func(s *Site) error {
		err := s.askOnce(ctx)
		took = time.Since(begun)
		return err
	})
	return took, err
}

// askOnce asks what the mapping of answering answers.
func (s *Site) askOnce(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+Echo, nil)
	if err != nil {
		return err
	}
	request.Close = true // nothing is left open
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	answer, err := io.ReadAll(reply.Body)
	if err == nil && (reply.StatusCode != http.StatusOK || string(answer) != `"here"`) {
		err = fmt.Errorf("the first answer is %d %s", reply.StatusCode, answer)
	}
	return err
}

// ReportStart starts flowsync again and again.
func ReportStart(b *testing.B) {
	b.Helper()
	var times []float64
	for range *rounds {
		took, err := Starting(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		times = append(times, millis(took))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(times), "start-ms")
	b.ReportMetric(slices.Min(times), "start-ms-min")
	b.ReportMetric(slices.Max(times), "start-ms-max")
}
