//go:build peers

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/responder"
)

func TestFourFilesOnMosquitto(t *testing.T) {
	fourFiles(t, "--broker", startMosquitto(t).url())
}

// TestOutcomesOnMosquitto: no_subscriber is what mosquitto says in its PUBACK there.
func TestOutcomesOnMosquitto(t *testing.T) { outcomes(t, "--broker", startMosquitto(t).url()) }

// A responder that knows nothing of MQTT 5.
func TestPlainResponder(t *testing.T) {
	m := startMosquitto(t)
	g := start(t, "testdata/order.yaml", "--broker", m.url())
	m.respond("services/e2e/order", func(payload []byte) string {
		var request struct {
			ID    string
			Value int
		}
		if err := json.Unmarshal(payload, &request); err != nil {
			return err.Error()
		}
		if request.Value%10 == 0 {
			return fmt.Sprintf(`{"id":%q,"timestamp":1,"error":{"code":409,"message":"no %d"}}`, request.ID, request.Value)
		}
		return fmt.Sprintf(`{"id":%q,"timestamp":1,"value":%d}`, request.ID, -request.Value)
	})
	l := load{
		connections: 8, n: 500, url: "http://" + g.http + "/data/order",
		body: func(n int) string { return fmt.Sprint(n) },
		check: func(n int, r *reply) error {
			refused := n%10 == 0 && r.status == 409 && r.problem.Detail == fmt.Sprintf("no %d", n)
			if !refused && (r.status != 200 || string(r.body) != fmt.Sprint(-n)) {
				return fmt.Errorf("status %d, %s", r.status, r.body)
			}
			return nil
		},
	}
	l.run(t)
	g.addsUp(500)
}

func TestDistinctBodiesOnMosquitto(t *testing.T) {
	distinctBodies(t, start(t, "testdata/order.yaml", "--broker", startMosquitto(t).url()))
}

func TestMappingWithImplicitContextOnMosquitto(t *testing.T) {
	implicitContext(t, start(t, "testdata/mapping.yaml", "--broker", startMosquitto(t).url()))
}

// The broker dies under load, and comes back three seconds later.
func TestBrokerRestartsUnderLoad(t *testing.T) {
	const timeout, down = time.Second, 3 * time.Second
	m := startMosquitto(t)
	g := start(t, "testdata/order.yaml", "--broker", m.url(), "--param", fmt.Sprintf("timeout=%d", timeout.Milliseconds()))
	mes := respond(t, responder.Options{Address: m.address, Topics: []string{"services/e2e/order"}, DelayMax: 20 * time.Millisecond})
	o := &outage{url: "http://" + g.http + "/data/order", limit: timeout + 100*time.Millisecond, outcomes: map[string]int{}}
	stop := o.start(t, 32)
	require.Eventually(t, func() bool { return o.count("answered") > 1000 }, patience, 10*time.Millisecond)
	goroutines := g.count("go_goroutines", "")

	m.kill()
	<-time.After(down)
	m.start()
	require.Eventually(t, func() bool { return mes.Report().Connects == 2 }, patience, time.Millisecond)
	back, before := time.Now(), o.count("answered")
	require.Eventually(t, func() bool { return o.count("answered") > before }, patience, time.Millisecond)
	t.Logf("answered again %v after broker and responder were back", time.Since(back))
	assert.LessOrEqual(t, time.Since(back), 2*time.Second)
	require.Eventually(t, func() bool { return o.count("answered") > before+1000 }, patience, 10*time.Millisecond)
	stop()

	t.Logf("outcomes: %v", o.outcomes)
	total := 0
	for word, n := range o.outcomes {
		assert.Contains(t, []string{"answered", "not_published", "timeout"}, word)
		total += n
	}
	assert.Positive(t, o.outcomes["not_published"])
	assert.Zero(t, mes.Report().SeenTwice, "no request is ever sent twice")
	require.Eventually(t, func() bool { return g.held() == 0 }, patience, 10*time.Millisecond)
	require.Eventually(t, func() bool { return g.count("go_goroutines", "") <= goroutines }, patience, 50*time.Millisecond, "no goroutine is left behind")
	assert.Positive(t, g.count("flowsync_mqtt_reconnects_total", ""))
	g.addsUp(total)
}

// outage is what requesters see while the broker goes and comes.
type outage struct {
	url   string
	limit time.Duration // how long a reply may take

	mu       sync.Mutex
	outcomes map[string]int
}

// start asks over so many connections until the function it returns is called.
func (o *outage) start(t *testing.T, connections int) (stop func()) {
	c := client(connections)
	ending := make(chan struct{})
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			for o.ask(t, c) {
				select {
				case <-ending:
					return
				case <-time.After(time.Millisecond): // refusals come at once
				}
			}
		})
	}
	return func() {
		close(ending)
		all.Wait()
		c.CloseIdleConnections()
	}
}

func (o *outage) ask(t *testing.T, c *http.Client) bool {
	r, err := try(c, "POST", o.url, "1")
	if !assert.NoError(t, err, "every request gets a reply") {
		return false
	}
	elapsed := r.took
	if r.status != 200 {
		elapsed = time.Duration(r.problem.ElapsedMs) * time.Millisecond
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outcomes[r.outcome()]++
	return assert.LessOrEqual(t, elapsed, o.limit, "%d %s", r.status, r.body)
}

func (o *outage) count(outcome string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.outcomes[outcome]
}
