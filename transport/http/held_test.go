package http_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	nethttp "net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// cancelledWithin waits until the engine has cancelled n transactions.
func (e *fakeEngine) cancelledWithin(t testing.TB, n int, d time.Duration) {
	t.Helper()
	require.Eventually(t, func() bool { _, _, cancelled := e.counts(); return cancelled == n }, d, time.Millisecond)
}

// A requester who leaves after a time that is longer than a request may take to arrive is
// noticed all the same.
func TestDisconnectAfterReadTimeout(t *testing.T) {
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine, ReadTimeout: 50 * time.Millisecond}, transaction("GET", "/x", node(t, core.NodeOptions{})))
	c := r.dial(t)
	c.send(get("/x"))
	engine.next(t)
	slow := r.dial(t)
	slow.send("GET")
	require.Equal(t, 408, slow.receive().StatusCode) // the timeout has passed for both
	require.NoError(t, c.Close())
	engine.cancelledWithin(t, 1, time.Second)
}

// A requester who leaves while his request is held is noticed within a second, however he
// leaves, and is not written to.
func TestDisconnect(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, c *client){
		"close": func(t *testing.T, c *client) { require.NoError(t, c.Close()) },
		"reset": func(t *testing.T, c *client) {
			require.NoError(t, c.Conn.(*net.TCPConn).SetLinger(0))
			require.NoError(t, c.Close())
		},
		"half": func(t *testing.T, c *client) {
			require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
			c.ended()
		},
		"after the next request": func(t *testing.T, c *client) {
			c.send(get("/x"))
			require.NoError(t, c.Conn.(*net.TCPConn).CloseWrite())
			c.ended()
		},
	} {
		t.Run(name, func(t *testing.T) {
			engine := newFakeEngine(nil)
			r := serve(t, http.Options{Engine: engine}, transaction("GET", "/x", node(t, core.NodeOptions{})))
			c := r.dial(t)
			c.send(get("/x"))
			engine.next(t)
			leave(t, c)
			engine.cancelledWithin(t, 1, time.Second)
			require.NoError(t, r.Shutdown(context.Background()))
			total, held, _ := engine.counts()
			require.Equal(t, []int{1, 0}, []int{total, held})
		})
	}
}

// Whoever leaves at the moment of the answer harms nobody, and every transaction ends once.
func TestDisconnectRacesAnswer(t *testing.T) {
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine}, transaction("GET", "/x", node(t, core.NodeOptions{})))
	for range 200 {
		c := r.dial(t)
		c.send(get("/x"))
		b := engine.next(t)
		var both sync.WaitGroup
		both.Go(func() { engine.end(b.ID, answered(`"late"`)) })
		both.Go(func() { _ = c.Close() })
		both.Wait()
	}
	c := r.dial(t)
	c.send(get("/x"))
	require.True(t, engine.end(engine.next(t).ID, answered(`1`)))
	require.Equal(t, "1", c.receive().Text)
}

// One connection serves many requests, and an interrupt never reaches the next one.
func TestKeepAlive(t *testing.T) {
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", node(t, core.NodeOptions{})))
	c := r.dial(t)
	for i := range 500 {
		c.send(post("/x", "", itoa(i)))
		b := engine.next(t)
		require.Equal(t, itoa(i), b.Value)
		require.True(t, engine.end(b.ID, answered(b.Value)))
		got := c.receive()
		require.Equal(t, itoa(i), got.Text)
		require.False(t, got.Close)
	}
	c.send("POST /x HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1")
	require.True(t, engine.end(engine.next(t).ID, answered("1")))
	require.Equal(t, "keep-alive", c.receive().Header.Get("Connection"))
	c.send(post("/x", "", "1", "Connection: close"))
	require.True(t, engine.end(engine.next(t).ID, answered("1")))
	require.True(t, c.receive().Close)
	c.ended()
}

// Pipelined requests are begun and answered one after the other, whether they came with the
// first one or while it was held, in whatever pieces.
func TestPipelining(t *testing.T) {
	const requests = 50
	var all strings.Builder
	for i := range requests {
		body := `"` + strings.Repeat("x", 40*i) + itoa(i) + `"`
		all.WriteString(post("/x", "", body))
	}
	text := all.String()
	for _, c := range []struct{ first, piece int }{{len(text), 1}, {100, len(text)}, {1, 1000}, {300, 97}} {
		t.Run(fmt.Sprint(c.first, c.piece), func(t *testing.T) {
			engine := newFakeEngine(nil)
			r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", node(t, core.NodeOptions{})))
			client := r.dial(t)
			client.send(text[:c.first])
			var sending sync.WaitGroup
			defer sending.Wait()
			sending.Go(func() {
				for rest := text[c.first:]; rest != ""; {
					n := min(c.piece, len(rest))
					if _, err := io.WriteString(client.Conn, rest[:n]); err != nil {
						t.Error(err)
						return
					}
					rest = rest[n:]
				}
			})
			for i := range requests {
				b := engine.next(t)
				require.True(t, strings.HasSuffix(b.Value, itoa(i)+`"`), "the order is wrong")
				_, held, _ := engine.counts()
				require.Equal(t, 1, held)
				require.True(t, engine.end(b.ID, answered(itoa(i))))
				require.Equal(t, itoa(i), client.receive().Text)
			}
		})
	}
}

// What a requester may send ahead is bounded: more of it waits in the operating system, and a
// server that is closed does not wait for it.
func TestStashIsBounded(t *testing.T) {
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", node(t, core.NodeOptions{})))
	c := r.dial(t)
	c.send(post("/x", "", "1"))
	b := engine.next(t)
	var sending sync.WaitGroup
	defer sending.Wait()
	ahead := bytes.NewReader(bytes.Repeat([]byte(post("/x", "", "2")), 1<<19)) // before the deadline: it takes a while
	require.NoError(t, c.SetWriteDeadline(time.Now().Add(300*time.Millisecond)))
	sent := int64(0)
	sending.Go(func() { sent, _ = io.Copy(c.Conn, ahead) })
	sending.Wait()
	require.Positive(t, sent)
	require.Less(t, sent, int64(1<<25), "everything was read")
	require.True(t, engine.end(b.ID, answered("1")))
	require.Equal(t, "1", c.receive().Text)
	engine.next(t) // the second one, from the stash; it is full again
	require.NoError(t, r.Close())
	engine.cancelledWithin(t, 1, time.Second)
}

// A panic ends one connection with 500 and is logged; it ends no other and not the process.
func TestPanic(t *testing.T) {
	engine := newFakeEngine(func(b *begun) (core.Result, bool) {
		switch b.Value {
		case `"now"`:
			panic("in Begin")
		case `"after"`:
			b.done.Complete(answered("1"))
			panic("after Complete")
		}
		return echo(b)
	})
	var log lockedBuffer
	r := serve(t, http.Options{Engine: engine, Logger: slog.New(slog.NewTextHandler(&log, nil))},
		transaction("POST", "/x", node(t, core.NodeOptions{})),
		http.Route{Method: "GET", Path: "/p", Provide: func() ([]byte, bool) { panic("in Provide") }})
	other := r.dial(t)
	for _, request := range []string{post("/x", "", `"now"`), post("/x", "", `"after"`), get("/p")} {
		c := r.dial(t)
		c.send(request)
		got := c.receive()
		require.Equal(t, 500, got.StatusCode)
		require.Contains(t, got.problem(t)["detail"], "its log says how")
		require.True(t, got.Close)
		c.ended()
	}
	for _, where := range []string{"in Begin", "after Complete", "in Provide"} {
		require.Contains(t, log.String(), where)
	}
	other.send(post("/x", "", "1"))
	require.Equal(t, "1", other.receive().Text)
}

// A completer that comes after a panic writes nothing into the reply of another request.
func TestLateCompleterAfterPanic(t *testing.T) {
	var abandoned core.Completer
	engine := newFakeEngine(func(b *begun) (core.Result, bool) {
		if b.Value == `"bad"` {
			abandoned = b.done
			panic("in Begin")
		}
		return core.Result{}, false
	})
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", node(t, core.NodeOptions{})))
	require.Equal(t, 500, r.do(t, post("/x", "", `"bad"`)).StatusCode)
	c := r.dial(t)
	c.send(post("/x", "", `"good"`))
	b := engine.next(t)
	abandoned.Complete(answered(`"somebody else's"`))
	require.True(t, engine.end(b.ID, answered(`"mine"`)))
	require.Equal(t, `"mine"`, c.receive().Text)
}

// The standard client is served, over keep-alive and in parallel.
func TestStandardClient(t *testing.T) {
	engine := newFakeEngine(echo)
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/x", node(t, core.NodeOptions{})))
	transport := &nethttp.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	client := &nethttp.Client{Transport: transport, Timeout: patience}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 50 {
				want := fmt.Sprintf(`{"worker":%d,"i":%d,"pad":"%s"}`, worker, i, strings.Repeat("x", i*100))
				response, err := client.Post("http://"+r.address+"/x", "application/json", strings.NewReader(want))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || string(got) != want {
					t.Errorf("%v: %s instead of %s", err, got, want)
				}
			}
		})
	}
	all.Wait()
}
