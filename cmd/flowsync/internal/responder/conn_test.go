package responder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (c *conn) packet(parts ...string) error {
	c.Lock()
	defer c.Unlock()
	for _, part := range parts {
		if _, err := c.Write([]byte(part)); err != nil {
			return err
		}
	}
	return nil
}

func TestConnGathers(t *testing.T) {
	near, far := net.Pipe()
	c := newConn(near)
	require.NoError(t, c.packet("a", "b")) // nobody reads: the writer is stuck in this one
	for range 100 {
		require.NoError(t, c.packet("c"))
	}
	buf := make([]byte, 200)
	n, err := far.Read(buf)
	require.NoError(t, err)
	got := n
	reads := 1
	for got < 102 {
		n, err = far.Read(buf)
		require.NoError(t, err)
		got += n
		reads++
	}
	assert.LessOrEqual(t, reads, 3, "a hundred packets in one or two writes")
	require.NoError(t, c.Close())
	far.Close()
}

func TestConnCloseSendsWhatWasWritten(t *testing.T) {
	near, far := net.Pipe()
	c := newConn(near)
	all := make(chan []byte)
	go func() {
		got, _ := io.ReadAll(far)
		all <- got
	}()
	require.NoError(t, c.packet("disconnect"))
	require.NoError(t, c.Close())
	assert.Equal(t, "disconnect", string(<-all))
	assert.ErrorIs(t, c.packet("more"), errConnClosed)
}

func TestConnWaitsForTheSocket(t *testing.T) {
	near, far := net.Pipe()
	c := newConn(near)
	block := string(bytes.Repeat([]byte("x"), maxGathered))
	done := make(chan error, 1)
	go func() {
		var err error
		for range 4 {
			err = errors.Join(err, c.packet(block, "x"))
		}
		done <- err
	}()
	n, err := io.CopyN(io.Discard, far, 4*(maxGathered+1))
	require.NoError(t, err)
	assert.EqualValues(t, 4*(maxGathered+1), n)
	require.NoError(t, <-done)
	assert.LessOrEqual(t, cap(c.gathered), 3*maxGathered, "what is gathered is bounded")
	far.Close()
	c.Close()
	assert.Error(t, c.packet("x"))
}

func TestDialFailures(t *testing.T) {
	_, err := dial(context.Background(), "127.0.0.1:1", nil)
	assert.Error(t, err)
}
