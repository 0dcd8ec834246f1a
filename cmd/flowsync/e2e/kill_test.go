package e2e

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestKeysSurviveAKill: a gateway that is killed and started again sends no request twice, as long as
// its folder is there: it knows the replies, and of what was not answered that it may have been done.
func TestKeysSurviveAKill(t *testing.T) {
	for i, protocol := range []string{"HTTP", "OPC UA"} {
		t.Run(protocol, func(t *testing.T) {
			broker := start(t, "testdata/order.yaml").broker
			again := func(state ...string) (*gateway, door) {
				g := start(t, append([]string{"testdata/properties.yaml", "--broker", "mqtt://" + broker}, state...)...)
				require.Eventually(t, func() bool {
					r, err := try(client(1), "GET", "http://"+g.admin+"/readyz", "")
					return err == nil && r.status == 200
				}, patience, 10*time.Millisecond)
				return g, g.doors(t)[i]
			}
			state := []string{"--state", t.TempDir()}
			g, d := again(state...)
			m := startMES(t, broker, "props", d.name("once"))
			ctx := deadline(t)
			first := d.asking(ctx, "once", "7", "answered")
			m.say(m.next(), `,"value":"booked"`)
			require.Equal(t, "booked", within(t, first, "no reply").value)
			require.Eventually(t, func() bool { return g.count("flowsync_journal_records_total", "") >= 2 }, patience, time.Millisecond)

			second := d.asking(ctx, "once", "8", "in-doubt")
			old := m.next()
			g.process.Process.Kill()
			<-g.exited
			require.Error(t, within(t, second, "the connection does not end").err)

			g, d = again(state...)
			require.Equal(t, "booked", d.ask(ctx, "once", "7", "answered").value)
			late := d.asking(ctx, "once", "8", "in-doubt")
			require.Eventually(t, func() bool { return g.count("flowsync_idempotency_waiting", "") == 1 }, patience, time.Millisecond)
			m.say(old, `,"value":"booked before the crash"`)
			require.Equal(t, "booked before the crash", within(t, late, "no reply").value)
			m.none()
			require.Zero(t, g.count("flowsync_transactions_begun_total", ""))
			g.process.Process.Kill()
			<-g.exited

			_, d = again() // without the folder nothing is known
			anew := d.asking(ctx, "once", "7", "answered")
			m.say(m.next(), `,"value":"booked twice"`)
			require.Equal(t, "booked twice", within(t, anew, "no reply").value)
		})
	}
}

// TestStateThatCannotBeUsed: without a place for the keys that were to be kept there is no start.
func TestStateThatCannotBeUsed(t *testing.T) {
	state := t.TempDir()
	start(t, "testdata/properties.yaml", "--state", state)
	out, err := exec.Command(binary, "run", "testdata/properties.yaml", "--state", state, "--embedded", "127.0.0.1:0",
		"--http", "127.0.0.1:0", "--opcua", "127.0.0.1:0", "--admin", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err, "two gateways with the same folder")
	require.Contains(t, string(out), "--state: the idempotency keys cannot be kept: ")
	require.Contains(t, string(out), state)
}
