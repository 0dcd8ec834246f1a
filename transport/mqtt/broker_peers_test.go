//go:build peers

package mqtt

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

// TestMosquittoConformance runs the suite of all buses against mosquitto.
func TestMosquittoConformance(t *testing.T) {
	transporttest.Bus(t, func(t *testing.T) transporttest.BusRig {
		m := startMosquitto(t, openToAll)
		m.stop() // the rig starts it
		r := newRig(t, mosquittoProcess{m})
		r.reports = true
		return r
	})
}

type mosquittoProcess struct{ m *mosquitto }

func (p mosquittoProcess) at() string   { return p.m.address }
func (p mosquittoProcess) start() error { p.m.start(); return nil }
func (p mosquittoProcess) kill() error  { p.m.stop(); return nil }

// respond answers one request with mosquitto_sub and mosquitto_pub, speaking MQTT 3.1.1.
func (m *mosquitto) respond(topic string, args ...string) {
	m.t.Helper()
	host, port, _ := net.SplitHostPort(m.address)
	args = append([]string{"-h", host, "-p", port, "-V", "311"}, args...)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	m.t.Cleanup(cancel)
	sub := exec.CommandContext(ctx, "mosquitto_sub", append(args, "-C", "1", "-t", topic+"/treq")...)
	before := strings.Count(m.output.String(), topic+"/treq (QoS")
	done := make(chan string, 1)
	go func() {
		request, err := sub.Output()
		if err != nil {
			done <- "mosquitto_sub (Debian package mosquitto-clients): " + err.Error()
			return
		}
		text, err := exec.CommandContext(ctx, "mosquitto_pub", append(args, "-t", topic+"/tres", "-q", "1", "-m", string(answerTo(request, `"done"`)))...).CombinedOutput()
		done <- fmt.Sprint(string(text), err)
	}()
	require.Eventually(m.t, func() bool {
		return strings.Count(m.output.String(), topic+"/treq (QoS") > before
	}, patience, time.Millisecond, "mosquitto_sub has not subscribed")
	m.t.Cleanup(func() { require.Equal(m.t, "<nil>", receive(m.t, done)) })
}

// TestMosquitto311Responder: responders need know nothing of MQTT 5.
func TestMosquitto311Responder(t *testing.T) {
	for _, qos := range []byte{0, 1, 2} {
		m := startMosquitto(t, openToAll)
		g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", QoS: qos, Timeout: patience})
		g.start()
		m.respond("a")
		_, done := g.begin(0, `1`)
		require.Equal(t, `"done"`, string(g.end(done, core.Answered).Value))
	}
}

// TestMosquittoPassword: the right one, and what is said about a wrong one.
func TestMosquittoPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passwords")
	out, err := exec.Command("mosquitto_passwd", "-b", "-c", file, "me", "secret").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.Chmod(file, 0o644))
	m := startMosquitto(t, "allow_anonymous false\npassword_file "+file)
	g := newGateway(t, Options{URL: m.url(), Username: "me", Password: "secret"}, core.NodeOptions{Topic: "a", Timeout: patience})
	g.start()
	m.respond("a", "-u", "me", "-P", "secret")
	_, done := g.begin(0, `1`)
	g.end(done, core.Answered)

	wrong := newGateway(t, Options{URL: m.url(), Username: "me", Password: "guess"})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err = wrong.bus.Start(ctx)
	require.ErrorContains(t, err, "not authorized (0x87)")
	require.NotContains(t, err.Error()+wrong.log.String(), "guess")
}

// TestMosquittoQuietRefusal: with an access file mosquitto grants a subscription that it never
// serves; only the PUBACK tells.
func TestMosquittoQuietRefusal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "acl")
	require.NoError(t, os.WriteFile(file, []byte("topic readwrite a/#\n"), 0o644))
	m := startMosquitto(t, openToAll+"acl_file "+file)
	g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", Timeout: patience}, core.NodeOptions{Topic: "b", QoS: 1})
	g.start()
	_, done := g.begin(1, `1`)
	require.Contains(t, g.end(done, core.NotPublished).Message, "not authorized (0x87)", "PUBACK with a failure")
	m.respond("a")
	_, done = g.begin(0, `1`)
	g.end(done, core.Answered)
}

// TestMosquittoRetained: what is kept on the answer topic is not taken for an answer; an answer
// that its sender marked retain is one.
func TestMosquittoRetained(t *testing.T) {
	m := startMosquitto(t, openToAll)
	m.client("mosquitto_pub", "-V", "311", "-q", "1", "-r", "-t", "a/tres", "-m", `{"value":"old"}`)
	m.client("mosquitto_pub", "-V", "311", "-q", "1", "-r", "-t", "t/1", "-m", "kept")
	g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", Timeout: patience})
	got := make(chan Message, 10)
	require.NoError(t, g.bus.Subscribe("t/+", 1, func(m Message) { m.Payload = nil; got <- m }))
	g.start()
	require.Equal(t, Message{Topic: "t/1", QoS: 1, Retain: true}, receive(t, got), "handlers do get what is kept")
	id, done := g.begin(0, `1`)
	m.client("mosquitto_pub", "-V", "311", "-q", "1", "-r", "-t", "a/tres", "-m", fmt.Sprintf(`{"id":"%s","value":"new"}`, id))
	require.Equal(t, `"new"`, string(g.end(done, core.Answered).Value))
	stats := g.engine.Stats(g.engine.Nodes()[0])
	require.Zero(t, stats.Answers[core.Stale])
	require.Zero(t, stats.Answers[core.Malformed])
}

// TestMosquittoRestart: what was held ends as timeout or is answered, and nothing is sent twice.
func TestMosquittoRestart(t *testing.T) {
	m := startMosquitto(t, openToAll)
	g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", QoS: 1, Timeout: patience})
	g.start()
	m.respond("a")
	_, done := g.begin(0, `1`)
	g.end(done, core.Answered)
	id, held := g.begin(0, `2`)
	g.until(func() bool { return strings.Count(m.output.String(), "Sending PUBACK") >= 2 })
	m.stop()
	g.until(func() bool { return !g.bus.Ready() })
	_, done = g.begin(0, `3`)
	require.Contains(t, g.end(done, core.NotPublished).Message, "not connected to the broker")
	began := time.Now()
	m.start()
	g.start()
	require.Less(t, time.Since(began), 3*time.Second)
	m.client("mosquitto_pub", "-V", "311", "-q", "1", "-t", "a/tres", "-m", fmt.Sprintf(`{"id":"%s","value":"late but in time"}`, id))
	g.end(held, core.Answered)
	require.EqualValues(t, 2, g.bus.Stats().PacketsWritten)
	require.EqualValues(t, 1, g.bus.Stats().SessionsLost)
}

// TestMosquittoKeepsAnswers: the connection is lost, not the broker; answers of QoS 1 wait.
func TestMosquittoKeepsAnswers(t *testing.T) {
	m := startMosquitto(t, openToAll)
	g := newGateway(t, Options{URL: m.url(), ClientID: "gw"}, core.NodeOptions{Topic: "a", Timeout: patience})
	g.start()
	id, held := g.begin(0, `1`)
	g.until(func() bool { return strings.Contains(m.output.String(), "'a/treq'") })
	m.steal("gw", func() { // while another client has taken the place, the answer is published
		m.client("mosquitto_pub", "-V", "311", "-q", "1", "-t", "a/tres", "-m", fmt.Sprintf(`{"id":"%s","value":1}`, id))
	})
	g.end(held, core.Answered)
	require.Zero(t, g.bus.Stats().SessionsLost)
	// mosquitto 2.0 sends no DISCONNECT with 0x8e, it just hangs up.
	g.untilLogged("another client")
}

// steal connects with somebody else's client id and keeps his session, for a while.
func (m *mosquitto) steal(clientID string, during func()) {
	c, err := net.Dial("tcp", m.address)
	require.NoError(m.t, err)
	defer c.Close()
	expiry := uint32(60)
	cp := packets.NewControlPacket(packets.CONNECT)
	connect := cp.Content.(*packets.Connect)
	connect.ClientID, connect.Properties.SessionExpiryInterval = clientID, &expiry
	_, err = cp.WriteTo(c)
	require.NoError(m.t, err)
	_, err = packets.ReadPacket(c)
	require.NoError(m.t, err)
	c.Close() // what is published from now on waits in the session
	during()
}

// TestMosquittoReceiveMaximum: it takes 20 at once by default; 500 go through.
func TestMosquittoReceiveMaximum(t *testing.T) {
	for _, qos := range []byte{1, 2} {
		m := startMosquitto(t, openToAll)
		g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", QoS: qos, Timeout: time.Minute})
		arrived := make(chan Message, 1000)
		require.NoError(t, g.bus.Subscribe("a/treq", qos, func(m Message) {
			m.Payload = append([]byte(nil), m.Payload...)
			arrived <- m
		}))
		g.start()
		const requests = 500
		var all []completions
		for i := range requests {
			_, done := g.begin(0, fmt.Sprint(i))
			all = append(all, done)
		}
		for i := range requests {
			request := receive(t, arrived)
			require.Contains(t, string(request.Payload), fmt.Sprintf(`"value":%d}`, i), "in order")
			require.NoError(t, g.bus.PublishMessage(Message{Topic: "a/tres", Payload: answerTo(request.Payload, `1`), QoS: qos}))
		}
		for _, done := range all {
			g.end(done, core.Answered)
		}
		require.NoError(t, g.bus.Close(t.Context()))
		require.Zero(t, g.bus.Stats().BacklogBytes)
	}
}

// TestMosquittoRawBytes: what a requester puts into properties never makes it hang up.
func TestMosquittoRawBytes(t *testing.T) {
	m := startMosquitto(t, openToAll)
	g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", Timeout: patience})
	g.start()
	m.respond("a")
	done := make(completions, 1)
	g.engine.Begin(&core.Call{Node: g.engine.Nodes()[0], Value: []byte(`1`), Properties: []core.Property{
		{Name: "http-query", Value: "\xff\x00\x01%"}, {Name: "\xff", Value: ""}, {Name: "", Value: "x"}}}, done)
	g.end(done, core.Answered)
	require.Zero(t, g.bus.Stats().Reconnects)
}

// TestMosquittoReportsNoSubscriber: whoever is subscribed counts, in whatever way, and so does our
// own mapping in its share group.
func TestMosquittoReportsNoSubscriber(t *testing.T) {
	m := startMosquitto(t, openToAll)
	g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", QoS: 1, FailFast: true, Timeout: patience},
		core.NodeOptions{Topic: "c", QoS: 1, FailFast: true, Timeout: patience})
	require.NoError(t, g.bus.Subscribe("$share/g/c/treq", 1, func(m Message) {
		require.NoError(t, g.bus.PublishMessage(Message{Topic: "c/tres", QoS: 1, Payload: answerTo(m.Payload, `1`)}))
	}))
	g.start()
	g.untilLogged("reports_no_subscriber=yes")
	info := g.bus.Broker()
	require.Equal(t, Reported, info.NoSubscriber)
	require.Equal(t, 20, info.ReceiveMaximum)
	require.True(t, info.Retain && info.Wildcards && info.SharedSubscriptions && info.SubscriptionIdentifiers)
	_, done := g.begin(0, `1`)
	r := g.end(done, core.NoSubscriber)
	require.Equal(t, "no responder is subscribed to a/treq", r.Message)
	require.Less(t, r.Elapsed, patience/2)
	m.respond("a")
	for node := range 2 {
		_, done = g.begin(node, `2`)
		g.end(done, core.Answered)
	}
	require.EqualValues(t, 1, g.bus.Stats().NoSubscriber)
	require.NotContains(t, g.log.String(), "WARN")
}

// TestMosquittoSubscribedToAll: who reads everything is a subscriber to everything.
func TestMosquittoSubscribedToAll(t *testing.T) {
	m := startMosquitto(t, openToAll)
	reader := newGateway(t, Options{URL: m.url()})
	require.NoError(t, reader.bus.Subscribe("#", 0, func(Message) {}))
	reader.start()
	g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", QoS: 1, FailFast: true})
	g.start()
	g.untilLogged("failFast may have no effect")
	require.Equal(t, NotSeen, g.bus.Broker().NoSubscriber)
	_, done := g.begin(0, `1`)
	require.True(t, g.end(done, core.Timeout).Sent)
}

// TestMosquittoWait: requests wait for a broker that is started again, and are answered by who is
// there then; a session that mosquitto has lost is subscribed anew before they leave.
func TestMosquittoWait(t *testing.T) {
	for _, qos := range []byte{0, 1, 2} {
		m := startMosquitto(t, openToAll)
		g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", QoS: qos, Wait: true, Timeout: patience})
		require.NoError(t, g.bus.Subscribe("a/treq", 1, func(m Message) {
			_ = g.bus.PublishMessage(Message{Topic: "a/tres", QoS: 1, Payload: answerTo(m.Payload, `1`)})
		}))
		g.start()
		_, done := g.begin(0, `1`)
		g.end(done, core.Answered)
		g.waitsWithout(m, `2`)
		m.start()
		g.until(func() bool { return g.bus.Stats().Waiting == 0 })
		g.start()
		g.begin(0, `3`)
		g.until(func() bool { return g.bus.Stats().PacketsWritten >= 4 })
		require.EqualValues(t, 1, g.bus.Stats().SessionsLost/2, "of answers and of the listener")
	}
}

// waitsWithout stops the broker and begins a request, which waits for it.
func (g *gateway) waitsWithout(m *mosquitto, value string) (held completions) {
	g.t.Helper()
	m.stop()
	g.until(func() bool { return !g.bus.Ready() && g.bus.publishers[0].conn.Load() == nil })
	_, held = g.begin(0, value)
	require.EqualValues(g.t, 1, g.bus.Stats().Waiting)
	require.Empty(g.t, held)
	return held
}

// TestMosquittoFailFastAfterWaiting: what has waited for mosquitto to start again is published before
// responders are back; it says so, and who fails fast hears it.
func TestMosquittoFailFastAfterWaiting(t *testing.T) {
	m := startMosquitto(t, openToAll)
	g := newGateway(t, Options{URL: m.url()}, core.NodeOptions{Topic: "a", QoS: 1, FailFast: true, Wait: true, Timeout: patience})
	g.start()
	g.untilLogged("reports_no_subscriber=yes")
	held := g.waitsWithout(m, `1`)
	m.start()
	r := g.end(held, core.NoSubscriber)
	require.True(t, r.RetrySafe())
	m.respond("a")
	_, again := g.begin(0, `2`)
	g.end(again, core.Answered)
}
