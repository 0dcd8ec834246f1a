package channel

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
)

// pipe serves one end of a pipe in invented time; done is closed when Serve has returned.
func pipe(t *testing.T, o Options) (p *peer, done chan struct{}) {
	s, err := NewServer(o)
	require.NoError(t, err)
	ours, theirs := net.Pipe()
	done = make(chan struct{})
	go func() { defer close(done); s.Serve(ours) }()
	t.Cleanup(func() { _ = theirs.Close() })
	return newPeer(t, theirs), done
}

// TestSilentPeers are not waited for.
func TestSilentPeers(t *testing.T) {
	for name, send := range map[string]func(p *peer){
		"nothing":    func(*peer) {},
		"half a HEL": func(p *peer) { p.write([]byte("HELF\x40\x00\x00\x00x")) },
		"no OPN":     func(p *peer) { p.hello() },
		"half an OPN": func(p *peer) {
			p.hello()
			p.write(p.opn(p.request(ua.SecurityTokenRequestTypeIssue, nil))[:50])
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newEcho()
				p, done := pipe(t, testOptions(h))
				start := time.Now()
				send(p)
				p.refused(ua.StatusBadTimeout)
				require.Equal(t, 5*time.Second, time.Since(start))
				<-done
				require.Empty(t, h.closed, "it was never open")
			})
		})
	}
}

// TestTokenThatIsNotRenewed ends the channel a quarter of its life later.
func TestTokenThatIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newEcho()
		p, done := pipe(t, testOptions(h))
		p.lifetime = 8000
		p.hello()
		p.open()
		start := time.Now()
		for range 9 { // talking does not help
			time.Sleep(time.Second)
			p.echoes("alive")
		}
		p.refused(ua.StatusBadSecureChannelTokenUnknown)
		require.Equal(t, 10*time.Second, time.Since(start))
		<-done
		<-h.closed
	})
}

// TestOldTokenExpires though the client has not used the new one; the server goes on with that.
func TestOldTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := make(chan *Channel, 1)
		h := newEcho()
		h.handle = func(c *Channel, request uint32, body []byte) error {
			if string(body) == "hold" {
				held <- c
				return nil
			}
			c.Send(request, body)
			return nil
		}
		p, done := pipe(t, testOptions(h))
		p.lifetime = 8000
		p.hello()
		first := p.open()
		p.write(p.chunk("MSGF", 7, "hold"))
		time.Sleep(6 * time.Second)
		second := p.open()
		time.Sleep(3999 * time.Millisecond)
		require.Equal(t, first.id, p.echoes("in time"))
		time.Sleep(2 * time.Millisecond)
		(<-held).Send(7, []byte("late"))
		_, token, _, _ := p.next()
		require.Equal(t, second.id, token)
		p.write(p.chunk("MSGF", 1, "too late"))
		p.refused(ua.StatusBadSecureChannelTokenUnknown)
		<-done
	})
}

// TestReaderThatStops is cut off after the write deadline; Send does not wait for it.
func TestReaderThatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan *Channel, 1)
		h := newEcho()
		h.handle = func(c *Channel, _ uint32, _ []byte) error { seen <- c; return nil }
		p, done := pipe(t, testOptions(h))
		p.hello()
		p.open()
		p.write(p.chunk("MSGF", 1, ""))
		c := <-seen
		start := time.Now()
		for range 100 {
			c.Send(1, make([]byte, 10_000))
		}
		require.Zero(t, time.Since(start))
		<-done
		require.Equal(t, 10*time.Second, time.Since(start))
		require.Same(t, c, <-h.closed)
		c.Send(1, nil) // is dropped
	})
}

// TestQueueThatIsFull closes the channel on the spot.
func TestQueueThatIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan *Channel, 1)
		h := newEcho()
		h.handle = func(c *Channel, _ uint32, _ []byte) error { seen <- c; return nil }
		o := testOptions(h)
		o.MaxQueue = 100_000
		p, done := pipe(t, o)
		p.hello()
		p.open()
		p.write(p.chunk("MSGF", 1, ""))
		c := <-seen
		start := time.Now()
		for range 11 {
			c.Send(1, make([]byte, 10_000))
		}
		<-done
		require.Zero(t, time.Since(start))
		<-h.closed
	})
}

// TestAskingMuchAndReadingLittle slows the client down: no more is handled than a few writes' worth,
// nor than half the queue can hold.
func TestAskingMuchAndReadingLittle(t *testing.T) {
	for name, c := range map[string]struct{ queue, most int }{
		"short queue": {100_000, 8},
		"long queue":  {16 << 20, 35},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newEcho()
				handled := 0
				h.handle = func(c *Channel, request uint32, _ []byte) error {
					handled++
					c.Send(request, make([]byte, 10_000))
					return nil
				}
				o := testOptions(h)
				o.MaxQueue = c.queue
				p, done := pipe(t, o)
				p.hello()
				p.open()
				const asked = 80
				go func() {
					var all []byte
					for range asked {
						all = append(all, p.chunk("MSGF", 1, "")...)
					}
					_, _ = p.conn.Write(all)
				}()
				synctest.Wait()
				require.Less(t, handled, c.most)
				for range asked {
					p.next()
				}
				require.Equal(t, asked, handled)
				_ = p.conn.Close()
				<-done
			})
		})
	}
}

// TestFirstUseOfThePreviousToken, after a renewal, does not say that the client knows the new one.
func TestFirstUseOfThePreviousToken(t *testing.T) {
	p := ready(t, testOptions(newEcho()))
	first, second := p.using, p.open()
	require.Equal(t, first.id, p.echoes("sent with the first"))
	p.using = second
	require.Equal(t, second.id, p.echoes("sent with the second"))
}

// TestClose with and without what still waits, and an ERR if the status is bad.
func TestClose(t *testing.T) {
	for _, c := range []struct {
		name   string
		status ua.StatusCode
		flush  bool
		want   string // the types of what comes
	}{
		{"good, flushed", ua.StatusOK, true, "MSG MSG "},
		{"bad, flushed", ua.StatusBadShutdown, true, "MSG MSG ERR "},
		{"bad", ua.StatusBadShutdown, false, "MSG ERR "}, // one is being written
		{"good", ua.StatusOK, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := make(chan *Channel, 1)
				h := newEcho()
				h.handle = func(c *Channel, _ uint32, _ []byte) error { seen <- c; return nil }
				p, done := pipe(t, testOptions(h))
				p.hello()
				p.open()
				p.write(p.chunk("MSGF", 1, ""))
				ch := <-seen
				ch.Send(1, []byte("one"))
				synctest.Wait() // the writer is at it
				ch.Send(1, []byte("two"))
				ch.Close(c.status, c.flush)
				ch.Close(ua.StatusBadTCPInternalError, false) // the first counts
				ch.Send(1, []byte("three"))
				got := ""
				for {
					if _, err := p.in.Peek(1); err == io.EOF {
						break
					}
					got += string(p.read()[:3]) + " "
				}
				require.Equal(t, c.want, got)
				<-done
				<-h.closed
			})
		})
	}
}

// TestCloseDoesNotWaitForWhoDoesNotRead.
func TestCloseDoesNotWaitForWhoDoesNotRead(t *testing.T) {
	for flush, want := range map[bool]time.Duration{true: 10 * time.Second, false: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			seen := make(chan *Channel, 1)
			h := newEcho()
			h.handle = func(c *Channel, _ uint32, _ []byte) error { seen <- c; return nil }
			p, done := pipe(t, testOptions(h))
			p.hello()
			p.open()
			p.write(p.chunk("MSGF", 1, ""))
			c := <-seen
			start := time.Now()
			c.Send(1, []byte("x"))
			c.Close(ua.StatusBadShutdown, flush)
			require.Zero(t, time.Since(start))
			<-done
			require.Equal(t, want, time.Since(start))
		})
	}
}

// FuzzFrames is what a stranger may send after it has connected: Serve returns, and nothing is
// left (goleak looks, in TestMain).
func FuzzFrames(f *testing.F) {
	p := newPeer(f, nil)
	good := hel(65535, 65535, "opc.tcp://x")
	opn := p.opn(p.request(ua.SecurityTokenRequestTypeIssue, nil))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(good)
	f.Add(bytes.Join([][]byte{good, opn}, nil))
	f.Add(bytes.Join([][]byte{good, opn, []byte(strings.Repeat("MSGF\x18\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00", 3))}, nil))
	p.secured(basic, encrypt, clientIdentity())
	f.Add(bytes.Join([][]byte{good, p.opn(p.request(ua.SecurityTokenRequestTypeIssue, p.nonce()))}, nil))
	o := testOptions(newEcho())
	// As in the server: without it gopcua's codec makes an array of whatever length it is told.
	o.Guard = guard.New(guard.Limits{}).Request
	o.HandshakeTimeout, o.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	o.MinLifetime, o.MaxLifetime = 50*time.Millisecond, 50*time.Millisecond
	o.MaxMessage = 1 << 20 // the target looks at it
	f.Fuzz(func(t *testing.T, b []byte) {
		h := newEcho()
		h.handle = func(c *Channel, request uint32, body []byte) error {
			if len(body) > o.MaxMessage {
				t.Errorf("a body of %d bytes", len(body))
			}
			c.Send(request, body)
			return nil
		}
		o.Handler = h
		s, err := NewServer(o)
		if err != nil {
			t.Fatal(err)
		}
		s.channel.Store(0) // so that the first channel is 1
		ours, theirs := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, theirs) }()
		go func() { _, _ = theirs.Write(b); _ = theirs.Close() }()
		s.Serve(ours)
		if len(h.closed) > 1 {
			t.Error("closed twice")
		}
	})
}
