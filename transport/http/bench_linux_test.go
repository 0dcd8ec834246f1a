package http_test

import (
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// resident is the resident memory of this process, in bytes.
func resident(t testing.TB) int {
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	require.NoError(t, err)
	return pages * os.Getpagesize()
}

// BenchmarkHeld reports the resident memory and the goroutines of a held connection, with its
// transaction in the real engine and the client's end of it (0.6 KiB) in the same process. One
// operation is one connection: run it with -benchtime 10000x.
func BenchmarkHeld(b *testing.B) {
	engine, err := core.New(nowhere{}, core.Options{})
	require.NoError(b, err)
	defer engine.Close()
	n, err := engine.AddNode(core.NodeOptions{Name: "held", Topic: "held", Timeout: core.MaxTimeout})
	require.NoError(b, err)
	r := serve(b, http.Options{Engine: engine}, transaction("POST", "/x", n))
	text := post("/x", "application/json", `{"order":4711,"station":12}`)
	clients := make([]net.Conn, 0, b.N)
	before, goroutines := resident(b), runtime.NumGoroutine()
	for range b.N {
		c, err := net.Dial("tcp", r.address)
		require.NoError(b, err)
		defer c.Close()
		_, err = io.WriteString(c, text)
		require.NoError(b, err)
		clients = append(clients, c)
	}
	for engine.Held() < b.N {
		runtime.Gosched()
	}
	b.ReportMetric(float64(resident(b)-before)/float64(b.N), "B-resident/held")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(b.N), "goroutines/held")
	require.NoError(b, r.Close())
	runtime.KeepAlive(clients)
}
