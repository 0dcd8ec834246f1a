package tap

import (
	"bufio"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/fuzz/chaos/tap/frame"
)

// BenchmarkForward is a packet through the tap, with hooks, as fast as it goes.
func BenchmarkForward(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	told := 0
	t, err := New(Options{Broker: l.Addr().String(), Rand: rand.New(rand.NewPCG(1, 2)), Hooks: Hooks{
		Seen: func(*Packet) {}, Forwarding: func(*Packet) { told++ },
	}})
	require.NoError(b, err)
	defer t.Close()
	client, err := net.Dial("tcp", t.Addr())
	require.NoError(b, err)
	defer client.Close()
	server, err := l.Accept()
	require.NoError(b, err)
	defer server.Close()
	raw := message("services/plant/press/treq", string(make([]byte, 200)))
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	go func() {
		out := bufio.NewWriter(client)
		for range b.N {
			_, _ = out.Write(raw) // an error shows at the other end
		}
		_ = out.Flush()
	}()
	in := bufio.NewReader(server)
	for range b.N {
		_, err := frame.Read(in, 1<<20)
		require.NoError(b, err)
	}
	require.Equal(b, b.N, told)
}
