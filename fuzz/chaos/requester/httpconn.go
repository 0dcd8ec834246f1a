package requester

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// maxIdle is how long a connection may have been idle to be asked over: the gateway closes idle ones.
const maxIdle = 20 * time.Second

// httpConn is a connection that is kept, and made anew when it has ended.
type httpConn struct {
	o        *Options
	conn     net.Conn // nil: none
	in       *bufio.Reader
	out      []byte
	response fasthttp.Response
	used     time.Time
	life     uint32 // the gateway's that it is to
	refused  bool   // when all is full, the gateway reads no more of it before Retry-After
	before   *asked // the last one on this connection; nil: none
}

func newHTTPConn(o *Options) *httpConn {
	return &httpConn{o: o, in: bufio.NewReaderSize(nil, 4096)}
}

// between is how long is waited after a connection that could not be made.
const between = 20 * time.Millisecond

// ready sees to it that there is a connection; false: there is none.
func (c *httpConn) ready(ctx context.Context) bool {
	if c.conn != nil && c.in.Buffered() > 0 {
		c.second()
	}
	if c.conn != nil && (c.refused || c.life != c.o.Life() || time.Since(c.used) > maxIdle || hasEnded(c.conn)) {
		c.drop()
	}
	for c.conn == nil {
		life := c.o.Life()
		conn, err := c.o.Connect(ctx)
		if err == nil {
			c.conn, c.used, c.life = conn, time.Now(), life
			c.in.Reset(conn)
			break
		}
		if !pause(ctx, between) {
			return false
		}
	}
	return true
}

// hasEnded looks whether the other side has closed an idle connection: who asks over it all the same loses
// the request, without anybody's fault.
func hasEnded(conn net.Conn) (ended bool) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Control(func(fd uintptr) {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		ended = n == 0 && err == nil || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return ended || err != nil
}

// second reads what came after the reply to the last request: another one to it.
func (c *httpConn) second() {
	if c.before != nil {
		_ = c.conn.SetReadDeadline(time.Now().Add(c.o.Patience))
		if c.response.ReadLimitBody(c.in, maxBody) == nil {
			c.o.again(c.before, replied(&c.response))
		}
	}
	c.drop()
}

// maxBody bounds a reply, in bytes.
const maxBody = 1 << 20

// drop ends the connection.
func (c *httpConn) drop() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn, c.before, c.refused = nil, nil, false
	}
}

// limit is what the gateway makes of the requester's limit: it takes off the way there and back.
func (q *Request) httpLimit() time.Duration {
	if q.Limit == 0 {
		return 0
	}
	return max(time.Millisecond, q.Limit-max(20*time.Millisecond, q.Limit/20))
}

// send writes requests in one go.
func (c *httpConn) send(all ...*asked) error {
	c.out = c.out[:0]
	for _, a := range all {
		c.out = appendHTTP(c.out, c.o.Host, &a.Request)
	}
	_ = c.conn.SetDeadline(time.Now().Add(c.o.Patience))
	_, err := c.conn.Write(c.out)
	return err
}

// appendHTTP appends a request as it goes over the wire.
func appendHTTP(dst []byte, host string, q *Request) []byte {
	if q.Node.Kind == Get {
		dst = append(append(dst, "GET "...), q.Node.Place...)
		dst = history.AppendText(dst, q.Marker)
	} else {
		dst = append(append(dst, "POST "...), q.Node.Place...)
	}
	dst = append(append(append(dst, " HTTP/1.1\r\nHost: "...), host...), "\r\n"...)
	switch {
	case q.Limit == 0:
	case q.Prefer:
		dst = strconv.AppendInt(append(dst, "Prefer: wait="...), int64(q.Limit/time.Second), 10)
		dst = append(dst, "\r\n"...)
	default:
		dst = strconv.AppendInt(append(dst, "Request-Timeout: "...), q.Limit.Milliseconds(), 10)
		dst = append(dst, "\r\n"...)
	}
	if q.Key != "" {
		dst = append(append(append(dst, "Idempotency-Key: "...), q.Key...), "\r\n"...)
	}
	if q.Node.Kind == Get {
		return append(dst, "\r\n"...)
	}
	pad := int(q.Marker >> 8 % 64)
	dst = append(dst, "Content-Type: application/json\r\nContent-Length: "...)
	at := len(dst)
	dst = append(dst, "000\r\n\r\n"...)
	body := len(dst)
	dst = history.AppendValue(dst, q.Marker, pad)
	n := len(dst) - body
	dst[at], dst[at+1], dst[at+2] = '0'+byte(n/100%10), '0'+byte(n/10%10), '0'+byte(n%10)
	return dst
}

// receive reads the reply to a request. Errors have ended it.
func (c *httpConn) receive(a *asked) history.Replied {
	_ = c.conn.SetReadDeadline(time.Now().Add(a.Node.Longest() + c.o.Patience))
	c.response.Reset()
	err := c.response.ReadLimitBody(c.in, maxBody)
	c.used = time.Now()
	if err != nil {
		c.drop()
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, fasthttp.ErrTimeout) {
			return history.Replied{Way: history.Silent}
		}
		return history.Replied{Way: history.Ended}
	}
	r := replied(&c.response)
	c.before = a
	if c.response.ConnectionClose() {
		c.drop()
	}
	c.refused = c.refused || r.Outcome == "shed"
	return r
}
