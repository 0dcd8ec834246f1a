//go:build unix

package http_test

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// BenchmarkEcho compares the CPU time of a transaction, client included, in a closed loop over
// 64 loopback connections, with a bare fasthttp echo. "bus" has a responder on a goroutine of
// its own behind the real engine, so that every request is really held.
func BenchmarkEcho(b *testing.B) {
	const message = "POST /data/echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 27\r\n\r\n" + `{"order":4711,"station":12}`
	b.Run("bare", func(b *testing.B) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(b, err)
		server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.SetContentType("application/json")
			ctx.SetBody(ctx.PostBody())
		}, MaxIdleWorkerDuration: 50 * time.Millisecond} // or a goroutine of its pool is left for 10 s
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		closedLoop(b, ln.Addr().String(), message, 64)
		require.NoError(b, server.Shutdown())
		require.NoError(b, <-served)
	})
	b.Run("bus", func(b *testing.B) {
		bus := newEchoBus()
		engine, err := core.New(bus, core.Options{})
		require.NoError(b, err)
		n, err := engine.AddNode(core.NodeOptions{Name: "echo", Topic: "echo"})
		require.NoError(b, err)
		r := serve(b, http.Options{Engine: engine}, transaction("POST", "/data/echo", n))
		closedLoop(b, r.address, message, 64)
		require.NoError(b, r.Close())
		require.NoError(b, engine.Close())
		close(bus.queue)
	})
}

// echoBus answers every request on another goroutine.
type echoBus struct {
	queue chan []byte
	sink  core.Sink
}

func newEchoBus() *echoBus {
	bus := &echoBus{queue: make(chan []byte, 4096)}
	return bus
}

func (e *echoBus) Bind(s core.Sink) { e.sink = s }

func (e *echoBus) Attach(n *core.Node) error {
	go func() {
		for message := range e.queue {
			e.sink.Resolve(core.Answer{Node: n, Payload: message})
		}
	}()
	return nil
}

func (e *echoBus) Publish(r *core.Request) error {
	if !e.sink.Sent(r.ID) {
		return core.ErrNotSent
	}
	e.queue <- r.AppendMessage(nil)
	return nil
}

func cpuTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

func closedLoop(b *testing.B, address, message string, connections int) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var ready, all sync.WaitGroup
	ready.Add(connections)
	begin := make(chan struct{})
	for range connections {
		all.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				ready.Done()
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			ready.Done()
			<-begin
			for left.Add(-1) >= 0 {
				if err := roundTrip(c, r, message); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	ready.Wait()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	close(begin)
	all.Wait()
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

func roundTrip(c net.Conn, r *bufio.Reader, message string) error {
	if _, err := io.WriteString(c, message); err != nil {
		return err
	}
	length := 0
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		const name = "Content-Length: "
		if len(line) > len(name) && string(line[:len(name)]) == name {
			if length, err = strconv.Atoi(string(line[len(name) : len(line)-2])); err != nil {
				return err
			}
		}
	}
	_, err := r.Discard(length)
	return err
}
