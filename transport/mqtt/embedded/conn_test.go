package embedded

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// ends are the two ends of a connection without a buffer between them, on invented time.
func ends(limit int) (c *conn, far net.Conn, slow chan int, ended chan struct{}) {
	near, far := net.Pipe()
	slow, ended = make(chan int, 2), make(chan struct{})
	c = newConn(near, limit, &budget{limit: 1 << 30}, func(waiting int) { slow <- waiting })
	go func() {
		defer close(ended)
		c.run()
	}()
	return c, far, slow, ended
}

func TestConnWithoutConnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _, ended := ends(100)
		begun := time.Now()
		_, err := c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, connectTimeout, time.Since(begun))
		require.NoError(t, c.Close())
		<-ended
	})
}

func TestConnGathersAndLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far, _, ended := ends(100)
		require.NoError(t, c.SetDeadline(time.Time{}))
		for range 10 {
			n, err := c.Write([]byte("0123456789"))
			require.NoError(t, err)
			require.Equal(t, 10, n)
		}
		require.NoError(t, c.Close())
		require.ErrorIs(t, c.Close(), net.ErrClosed)
		require.ErrorIs(t, c.SetDeadline(time.Time{}), net.ErrClosed, "the broker must not undo the end of reading")
		_, err := c.Write([]byte("late"))
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "reading goes on after Close")
		got, err := io.ReadAll(far)
		require.NoError(t, err)
		require.Equal(t, bytes.Repeat([]byte("0123456789"), 10), got)
		<-ended
	})
}

func TestConnLingersNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, slow, ended := ends(100)
		_, err := c.Write([]byte("unread"))
		require.NoError(t, err)
		synctest.Wait()
		begun := time.Now()
		require.NoError(t, c.Close())
		<-ended
		require.Equal(t, lingerTimeout, time.Since(begun))
		require.Empty(t, slow, "who is disconnected anyway is not called slow")
	})
}

func TestConnAboveItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far, slow, ended := ends(100)
		_, err := c.Write(make([]byte, 60)) // run takes it and waits for the far end
		require.NoError(t, err)
		synctest.Wait()
		_, err = c.Write(make([]byte, 40))
		require.NoError(t, err)
		require.Equal(t, 100, c.held(), "what is being written counts")
		_, err = c.Write(make([]byte, 1))
		require.ErrorIs(t, err, errSlow)
		require.Equal(t, 100, <-slow)
		require.Zero(t, c.budget.held.Load())
		<-ended
		_, err = c.Write([]byte("x"))
		require.ErrorIs(t, err, errSlow)
		_, err = far.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.EOF)
		require.Empty(t, slow)
	})
}

// A large backlog may take long, as long as something of it is taken every ten seconds.
func TestConnTimeToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, far, slow, ended := ends(10 * nextPiece)
		_, err := c.Write(make([]byte, 4*nextPiece))
		require.NoError(t, err)
		begun := time.Now()
		for range 3 {
			time.Sleep(writeTimeout - time.Second) // invented time
			_, err = io.ReadFull(far, make([]byte, nextPiece))
			require.NoError(t, err)
		}
		require.Greater(t, time.Since(begun), 2*writeTimeout)
		synctest.Wait()
		require.Empty(t, slow)
		stalled := time.Now()
		<-ended
		require.Equal(t, writeTimeout, time.Since(stalled))
		require.Equal(t, nextPiece, <-slow)
		_, err = c.Write([]byte("x"))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

func TestLosses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := losses{text: "lost", log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))}
		for range 3 {
			for range 5 {
				l.report("topic", "a")
			}
			time.Sleep(lossesEvery) // invented time
		}
		l.flush()
		l.flush()
		require.Equal(t, "level=WARN msg=lost topic=a count=1\nlevel=WARN msg=lost topic=a count=5\nlevel=WARN msg=lost topic=a count=5\nlevel=WARN msg=lost count=4\n", out.String())
	})
}

// The broker warns of each client that leaves, with the packet.
func TestBrokerLogIsQuiet(t *testing.T) {
	var out bytes.Buffer
	level := new(slog.LevelVar)
	log := slog.New(quietened{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})})
	log.With("a", 1).Warn("gone", "pk", "payload", "error", errors.New("EOF"))
	require.Empty(t, out.String())
	level.Set(slog.LevelDebug)
	log.WithGroup("g").Warn("gone", "pk", "payload", "error", errors.New("EOF"))
	require.Contains(t, out.String(), "level=DEBUG msg=\"embedded broker: gone\" g.error=EOF\n")
	log.Error("broken")
	require.Contains(t, out.String(), "level=ERROR")
}
