package channel

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uasc"
	"github.com/stretchr/testify/require"
)

func TestMessagesInChunks(t *testing.T) {
	for _, s := range securities {
		t.Run(securityName(s.policy, s.mode), func(t *testing.T) {
			p := connect(t, listen(t, testOptions(newEcho())))
			if s.policy != ua.SecurityPolicyURINone {
				p.secured(s.policy, s.mode, clientIdentity())
			}
			p.hel.ReceiveBufSize, p.hel.SendBufSize = 8192, 8192
			p.hello()
			p.open()
			// What comes back is cut at another place.
			room := p.now[p.using.id].out.room(8192)
			for _, n := range []int{0, 1, room - 1, room, room + 1, 2 * room, 3*room + 17} {
				body := strings.Repeat("0123456789abcdef", n/16+1)[:n]
				p.write(p.chunk("MSGC", 8, body[:n/4]))
				p.open() // a renewal may come between
				p.write(p.chunk("MSGC", 8, ""))
				p.write(p.chunk("MSGF", 8, body[n/4:min(n, n/4+7000)]))
				got, chunks := p.message()
				require.Equal(t, body[:min(n, n/4+7000)], got)
				require.Equal(t, max(1, (len(got)+room-1)/room), chunks, "chunks are as large as they may be")
			}
		})
	}
}

// message reads a message of several chunks.
func (p *peer) message() (body string, chunks int) {
	p.t.Helper()
	for {
		kind, _, _, part := p.next()
		body += part
		if chunks++; kind == chunkFinal {
			return body, chunks
		}
		require.Equal(p.t, byte(chunkIntermediate), kind)
	}
}

func TestAbortedMessageIsForgotten(t *testing.T) {
	p := ready(t, testOptions(newEcho()))
	p.write(p.chunk("MSGC", 1, "left "))
	p.write(p.chunk("MSGA", 1, "reason"))
	p.write(p.chunk("MSGA", 2, "of which nothing came"))
	p.echoes("right")
}

// TestWrongChunks end the connection with the status that is theirs.
func TestWrongChunks(t *testing.T) {
	o := testOptions(newEcho())
	o.MaxMessage, o.MaxChunks = 30_000, 5
	addr := listen(t, o)
	for _, c := range []struct {
		name string
		send func(p *peer)
		want ua.StatusCode
	}{
		{"chunks of two messages", func(p *peer) { p.write(p.chunk("MSGC", 1, "")); p.write(p.chunk("MSGC", 2, "")) }, ua.StatusBadTCPMessageTypeInvalid},
		{"a message among the chunks of another", func(p *peer) { p.write(p.chunk("MSGC", 1, "")); p.write(p.chunk("MSGF", 2, "")) }, ua.StatusBadTCPMessageTypeInvalid},
		{"abort of another message", func(p *peer) { p.write(p.chunk("MSGC", 1, "")); p.write(p.chunk("MSGA", 2, "")) }, ua.StatusBadTCPMessageTypeInvalid},
		{"too many chunks", func(p *peer) {
			for range 6 {
				p.write(p.chunk("MSGC", 1, ""))
			}
		}, ua.StatusBadRequestTooLarge},
		{"too large", func(p *peer) { p.write(p.chunk("MSGF", 1, strings.Repeat("x", 30_001))) }, ua.StatusBadRequestTooLarge},
		{"too large in sum", func(p *peer) {
			p.write(p.chunk("MSGC", 1, strings.Repeat("x", 30_000)))
			p.write(p.chunk("MSGF", 1, "x"))
		}, ua.StatusBadRequestTooLarge},
		{"chunk larger than agreed", func(p *peer) { p.write(p.chunk("MSGF", 1, strings.Repeat("x", 65535))) }, ua.StatusBadTCPMessageTooLarge},
		{"chunk type", func(p *peer) { p.write(p.chunk("MSGX", 1, "")) }, ua.StatusBadTCPMessageTypeInvalid},
		{"CLO in chunks", func(p *peer) { p.write(p.chunk("CLOC", 1, "")) }, ua.StatusBadTCPMessageTypeInvalid},
		{"unknown type", func(p *peer) { p.write(p.chunk("XXXF", 1, "")) }, ua.StatusBadTCPMessageTypeInvalid},
		{"HEL", func(p *peer) { p.write(hel(65535, 65535, "")) }, ua.StatusBadTCPMessageTypeInvalid},
		{"shorter than its headers", func(p *peer) { p.write(framed("MSGF", make([]byte, 15))) }, ua.StatusBadDecodingError},
		{"another channel", func(p *peer) { p.channel++; p.write(p.chunk("MSGF", 1, "")) }, ua.StatusBadTCPSecureChannelUnknown},
		{"another channel's end", func(p *peer) { p.channel++; p.write(p.chunk("CLOF", 1, "")) }, ua.StatusBadTCPSecureChannelUnknown},
		{"unknown token", func(p *peer) { p.using = &token{id: 9}; p.write(p.chunk("MSGF", 1, "")) }, ua.StatusBadSecureChannelTokenUnknown},
		{"replay", func(p *peer) { b := p.chunk("MSGF", 1, ""); p.write(b); p.write(b) }, ua.StatusBadSequenceNumberInvalid},
		{"gap", func(p *peer) { p.sequence++; p.write(p.chunk("MSGF", 1, "")) }, ua.StatusBadSequenceNumberInvalid},
		{"wrap around too early", func(p *peer) { p.sequence = 0; p.write(p.chunk("MSGF", 1, "")) }, ua.StatusBadSequenceNumberInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := connect(t, addr)
			p.hello()
			p.open()
			c.send(p)
			p.refused(c.want)
		})
	}
}

// TestUnproven clients may not send what makes work, until they have logged in.
func TestUnproven(t *testing.T) {
	e := newEcho()
	e.handle = func(c *Channel, request uint32, body []byte) error {
		if string(body) == "login" {
			c.Prove()
		}
		c.Send(request, body)
		return nil
	}
	o := testOptions(e)
	o.MaxUnproven = 10_000
	addr := listen(t, o)
	for _, proven := range []bool{false, true} {
		p := connect(t, addr)
		p.hello()
		p.open()
		p.echoes(strings.Repeat("x", 10_000))
		if proven {
			p.echoes("login")
			p.echoes(strings.Repeat("x", 10_001))
			continue
		}
		p.write(p.chunk("MSGF", 1, strings.Repeat("x", 10_001)))
		p.refused(ua.StatusBadRequestTooLarge)
	}
}

// TestInsecureMessages in both modes: the peer hears no more than that.
func TestInsecureMessages(t *testing.T) {
	addr := listen(t, testOptions(newEcho()))
	for _, mode := range []ua.MessageSecurityMode{sign, encrypt} {
		for name, spoil := range map[string]func(b []byte) []byte{
			"one bit of the body":      func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
			"one bit of the signature": func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
			"chunk type":               func(b []byte) []byte { b[3] = 'C'; return b },
			"one byte less":            func(b []byte) []byte { return b[:len(b)-1] },
			"one block less":           func(b []byte) []byte { return b[:len(b)-16] },
			"no signature":             func(b []byte) []byte { return b[:40] },
			"hardly anything":          func(b []byte) []byte { return b[:32] },
		} {
			t.Run(fmt.Sprint(mode, "/", name), func(t *testing.T) {
				p := connect(t, addr).secured(basic, mode, clientIdentity())
				p.hello()
				p.open()
				p.echoes("fine")
				b := spoil(p.chunk("MSGF", 1, strings.Repeat("x", 100)))
				b[4] = byte(len(b))
				p.write(b)
				require.Empty(t, p.refused(ua.StatusBadSecurityChecksFailed))
			})
		}
	}
}

func TestSequenceNumbers(t *testing.T) {
	const top = 1<<32 - 1
	for _, c := range []struct {
		last, n uint32
		fine    bool
	}{
		{1, 2, true}, {1, 1, false}, {1, 3, false}, {1, 0, false}, {2, 1, false},
		{top - 1024, top - 1023, true}, {top - 1024, 1, false}, {top - 1023, 1, true}, {top - 1023, 0, true},
		{top - 1023, 1023, true}, {top - 1023, 1024, false}, {top, 0, true}, {top, 5, true}, {0, 1, true},
	} {
		ch := &Channel{counting: true, sequence: c.last}
		require.Equal(t, c.fine, ch.count(c.n) == nil, "%d after %d", c.n, c.last)
	}
	require.NoError(t, new(Channel).count(12345), "the first may be any")

	w := &writer{sequence: top - 1025}
	require.EqualValues(t, uint32(top-1024), w.next())
	require.EqualValues(t, 1, w.next(), "a number above UInt32.Max - 1024 is never sent")
}

// TestErrorsOfTheHandler end the connection.
func TestErrorsOfTheHandler(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want ua.StatusCode
	}{
		"status":         {ua.StatusBadTooManySessions, ua.StatusBadTooManySessions},
		"wrapped status": {fmt.Errorf("x: %w", ua.StatusBadShutdown), ua.StatusBadShutdown},
		"another":        {errors.New("secret"), ua.StatusBadTCPInternalError},
	} {
		t.Run(name, func(t *testing.T) {
			h := newEcho()
			h.handle = func(*Channel, uint32, []byte) error { return c.err }
			p := ready(t, testOptions(h))
			p.write(p.chunk("MSGF", 1, ""))
			require.Empty(t, p.refused(c.want))
			_ = p.conn.Close() // else it is given a second
			<-h.closed
		})
	}
}

// TestResponseThatIsTooLarge for the client is aborted, and the others get through.
func TestResponseThatIsTooLarge(t *testing.T) {
	for name, limit := range map[string]func(p *peer){
		"in bytes":  func(p *peer) { p.hel.MaxMessageSize = 10_000 },
		"in chunks": func(p *peer) { p.hel.ReceiveBufSize, p.hel.MaxChunkCount = 8192, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			p := connect(t, listen(t, testOptions(newEcho())))
			limit(p)
			p.hello()
			p.open()
			p.write(p.chunk("MSGF", 3, strings.Repeat("x", 10_001)))
			kind, _, request, part := p.next()
			require.Equal(t, byte(chunkAbort), kind)
			require.Equal(t, uint32(3), request)
			var a uasc.MessageAbort
			_, err := a.Decode([]byte(part))
			require.NoError(t, err)
			require.Equal(t, ua.StatusBadResponseTooLarge, ua.StatusCode(a.ErrorCode))
			p.echoes("short")
		})
	}
}

// TestPanics end the connection that they are on, and no other.
func TestPanics(t *testing.T) {
	for _, where := range []string{"Handle", "Guard", "Closed", "Trust"} {
		t.Run(where, func(t *testing.T) {
			var log lockedBuffer
			h := newEcho()
			o := testOptions(h)
			o.Logger = testLogger(&log)
			crash := func(here string) {
				if here == where {
					panic("crash in " + here)
				}
			}
			h.handle = func(c *Channel, request uint32, body []byte) error {
				if string(body) == "crash" {
					crash("Handle")
				}
				c.Send(request, body)
				return nil
			}
			var armed bool // before the connection, and by its reader
			o.Guard = func([]byte) error {
				if armed {
					crash("Guard")
				}
				return nil
			}
			o.Trust = func([]byte) (ua.StatusCode, error) { crash("Trust"); return ua.StatusOK, nil }
			if where == "Closed" {
				o.Handler = closedPanics{h}
			}
			addr := listen(t, o)
			other := connect(t, addr)
			other.hello()
			other.open()
			p := connect(t, addr)
			switch where {
			case "Handle":
				p.hello()
				p.open()
				p.write(p.chunk("MSGF", 1, "crash"))
			case "Guard":
				armed = true
				p.hello()
				p.write(p.opn(p.request(ua.SecurityTokenRequestTypeIssue, nil)))
			case "Closed":
				p.hello()
				p.open()
				p.write(p.chunk("CLOF", 1, ""))
				p.eof()
				<-h.closed
			case "Trust":
				p.secured(basic, sign, clientIdentity())
				p.hello()
				p.write(p.opn(p.request(ua.SecurityTokenRequestTypeIssue, p.nonce())))
			}
			if where != "Closed" {
				require.Empty(t, p.refused(ua.StatusBadTCPInternalError))
				require.Contains(t, log.String(), "crash in "+where)
			}
			_ = p.conn.Close()
			if where == "Handle" {
				<-h.closed
			}
			other.echoes("alive")
			require.Empty(t, h.closed, "Closed is called once, and only for channels that were open")
		})
	}
}

type closedPanics struct{ *echo }

func (c closedPanics) Closed(ch *Channel) {
	c.echo.Closed(ch)
	panic("crash in Closed")
}
