package http

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// told counts what the runtime is told.
type told struct {
	net.Conn
	reads, writes int
	before        func(t time.Time) // of a read deadline
}

func (c *told) SetReadDeadline(t time.Time) error {
	c.reads++
	if c.before != nil {
		c.before(t)
	}
	return c.Conn.SetReadDeadline(t)
}

func (c *told) SetWriteDeadline(t time.Time) error {
	c.writes++
	return c.Conn.SetWriteDeadline(t)
}

func onTimed(t *testing.T, scene func(t *testing.T, c *timed, raw *told, peer net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		raw := &told{Conn: near}
		scene(t, newTimed(raw), raw, far)
	})
}

// A deadline passes when it was wanted to, neither before nor after, however often it was moved.
func TestDeadlinesThatAreMoved(t *testing.T) {
	onTimed(t, func(t *testing.T, c *timed, raw *told, peer net.Conn) {
		begin := time.Now()
		for i := range 1000 { // each later than the one before: as a server does
			require.NoError(t, c.SetDeadline(begin.Add(time.Second+time.Duration(i)*time.Millisecond)))
		}
		require.Equal(t, []int{1, 1}, []int{raw.reads, raw.writes})
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 1999*time.Millisecond, time.Since(begin))
		_, err = c.Write([]byte("1"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, 1999*time.Millisecond, time.Since(begin))

		require.NoError(t, c.SetReadDeadline(never))
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second))) // earlier
		begin = time.Now()
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))

		require.NoError(t, c.SetReadDeadline(never))
		go func() {
			<-time.After(time.Hour)
			_, _ = peer.Write([]byte("x"))
		}()
		n, err := c.Read(make([]byte, 1))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// A write that an earlier deadline ends in the middle goes on where it was.
func TestWriteOverAnEarlierDeadline(t *testing.T) {
	onTimed(t, func(t *testing.T, c *timed, raw *told, peer net.Conn) {
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Second)))
		require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Minute)))
		got := make(chan string)
		go func() {
			first := make([]byte, 2)
			_, _ = io.ReadFull(peer, first)
			<-time.After(10 * time.Second)
			rest := make([]byte, 3)
			_, _ = io.ReadFull(peer, rest)
			got <- string(first) + string(rest)
		}()
		n, err := c.Write([]byte("hello"))
		require.NoError(t, err)
		require.Equal(t, 5, n)
		require.Equal(t, "hello", <-got)
		require.Equal(t, 2, raw.writes)
	})
}

// 1. A deadline passes that is earlier than the wanted one; 2. the wanted one is about to be set;
// 3. an interrupt comes, and is undone by that. The read must end all the same.
func TestInterruptWhenDeadlineIsSet(t *testing.T) {
	onTimed(t, func(t *testing.T, c *timed, raw *told, peer net.Conn) {
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
		begin := time.Now()
		raw.before = func(time.Time) {
			raw.before = nil
			c.interrupt()
		}
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Second, time.Since(begin))

		c.resume()
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
		go func() { _, _ = peer.Write([]byte("x")) }()
		n, err := c.Read(make([]byte, 1))
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}
