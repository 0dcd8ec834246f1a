package mqtt

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// TestSetTimeLeft: what it writes is what would have been encoded later, at all sizes at which a
// length loses a byte, in place and further to the front.
func TestSetTimeLeft(t *testing.T) {
	const began = time.Hour
	r := newRequest(t, core.NodeOptions{Topic: "a", Timeout: began}, core.Call{})
	f := formOf(r.Node)
	sizes := []int{0, 1000, 16_384, 2_097_152}
	for n := range 40 { // around a length of properties, and one of the packet, of 128 bytes
		sizes = append(sizes, n)
	}
	for _, size := range sizes {
		for _, qos := range []byte{0, 1} {
			for _, property := range []int{0, 1, 2, 3, 5, 16_240, 16_252} {
				f.qos = qos
				r.Value, r.Properties = []byte(strings.Repeat("1", size)), []core.Property{{Name: "k", Value: strings.Repeat("v", min(property, maxProperty))}}
				for n := 0; property > maxProperty && n < property/(maxProperty+6); n++ {
					r.Properties = append(r.Properties, r.Properties[0])
				}
				for _, left := range []time.Duration{began, began - time.Millisecond, time.Second, 999 * time.Millisecond, 10 * time.Millisecond, 1, -time.Second} {
					for _, gap := range []int{0, 1, 1000} {
						buf := appendRequestLeft(make([]byte, gap), &f, &r, began)
						n := setTimeLeft(buf, buf[gap:], left)
						require.Equal(t, appendRequestLeft(nil, &f, &r, left), buf[:n])
					}
				}
				packet := appendRequestLeft(nil, &f, &r, time.Second)
				same := append([]byte(nil), packet...)
				require.Equal(t, len(same), setTimeLeft(packet, packet, time.Hour), "it never grows")
				require.Equal(t, same, packet)
			}
		}
	}
}

// says is the time that a request says is left for it.
func says(t *testing.T, p *packets.Publish) (seconds uint32, millis int) {
	t.Helper()
	require.Equal(t, timeoutProperty, p.Properties.User[0].Key)
	millis, err := strconv.Atoi(p.Properties.User[0].Value)
	require.NoError(t, err)
	return *p.Properties.MessageExpiry, millis
}

// TestTimeLeftAtHandOver: what has waited for the writer, or for the window, says how much time is
// left when it is handed over, to the millisecond; what ended meanwhile leaves no gap.
func TestTimeLeftAtHandOver(t *testing.T) {
	for qos := range byte(3) {
		t.Run(fmt.Sprint("QoS ", qos), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				defer w.Close()
				w.rt.qos = qos
				w.setLimits(limits{packet: maxMaxPacket, qos: 2, receiveMaximum: 100})
				w.r.Deadline = time.Now().Add(1500 * time.Millisecond)
				w.ask(0) // the writer is busy with it from now on
				var all []core.ID
				for n := range byte(9) {
					id := w.ask(n + 1)
					if n%3 == 1 {
						w.sink.refuse[id] = true
						continue
					}
					all = append(all, id)
					require.NoError(t, w.message(&Message{Topic: "m", QoS: qos}))
				}
				time.Sleep(600 * time.Millisecond)
				seconds, millis := says(t, w.written()[0].Content.(*packets.Publish))
				require.EqualValues(t, 2, seconds, "it had been handed over")
				require.Equal(t, 1500, millis)
				got := w.written()
				require.Len(t, got, 2*len(all))
				for i, id := range all {
					p := got[2*i].Content.(*packets.Publish)
					require.Equal(t, id[:], p.Properties.CorrelationData)
					seconds, millis := says(t, p)
					require.EqualValues(t, 1, seconds)
					require.Equal(t, 900, millis)
					require.Equal(t, string(w.r.AppendMessage(nil))[50:], string(p.Payload)[50:])
					require.Equal(t, "m", got[2*i+1].Content.(*packets.Publish).Topic)
				}
			})
		})
	}
}

// TestTimeLeftAfterTheRoom: through the engine, from before the first connection on.
func TestTimeLeftAfterTheRoom(t *testing.T) {
	for qos := range byte(2) {
		s := newScripted(t)
		g := newGateway(t, Options{URL: s.url()}, core.NodeOptions{Topic: "a", QoS: qos, Wait: true, Timeout: 10 * time.Second})
		began := time.Now()
		g.begin(0, `1`)
		_, expires := g.beginWithin(0, `2`, 50*time.Millisecond)
		g.begin(0, `3`)
		g.end(expires, core.NotPublished)
		g.start()
		_, publisher := s.pair()
		for _, value := range []string{"1", "3"} {
			request := publisher.requireValues(value)
			_, millis := says(t, request)
			require.LessOrEqual(t, millis, 9951)
			require.GreaterOrEqual(t, millis, int((10*time.Second-time.Since(began))/time.Millisecond))
		}
		require.EqualValues(t, 2, g.bus.Stats().PacketsWritten)
		require.EqualValues(t, 1, g.bus.Stats().Expired)
	}
}

func BenchmarkSetTimeLeft(b *testing.B) {
	r := newRequest(b, core.NodeOptions{Topic: "services/plant/line/1"}, core.Call{Value: []byte(`{"order":4711}`)})
	rt := newRoute(r.Node)
	packet := appendRequest(nil, &rt.form, &r)
	buf := make([]byte, len(packet)+10)
	b.ReportAllocs()
	for b.Loop() {
		copy(buf[10:], packet)
		setTimeLeft(buf, buf[10:10+len(packet)], 900*time.Millisecond)
	}
}
