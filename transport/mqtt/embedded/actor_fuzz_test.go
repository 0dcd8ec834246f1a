package embedded

import (
	"bufio"
	"bytes"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// program is what is left of one; its end reads as zeros.
type program []byte

func (p *program) next() byte {
	if len(*p) == 0 {
		return 0
	}
	c := (*p)[0]
	*p = (*p)[1:]
	return c
}

// some takes as many bytes as the next one says.
func (p *program) some() []byte {
	n := min(int(p.next()), len(*p))
	taken := bytes.Clone((*p)[:n])
	*p = (*p)[n:]
	return taken
}

var (
	playTopics  = []string{"a/tres", "a/treq", "x", "x/y", "$SYS/broker/clients", "by/x", "", "x/+", "a/tend"}
	playFilters = []string{"a/tres", "a/treq", "#", "x/+", "$SYS/#", "$share/g/a/treq", "$share/g/#", "by/#", "", "x/#/y", "$share/g", "+/tres"}
)

// connection connects and says nothing.
func connection(t testing.TB, addr string) (net.Conn, *bufio.Reader, *bufio.Writer) {
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	return conn, bufio.NewReader(conn), bufio.NewWriter(conn)
}

// actor is a client who does what a program says.
type actor struct {
	conn    net.Conn
	five    bool
	reading sync.WaitGroup
	came    chan struct{} // a token: something has come
}

// open connects, and reads whatever comes.
func (a *actor) open(t *testing.T, addr string) {
	a.conn, _, _ = connection(t, addr)
	a.five, a.came = false, make(chan struct{}, 1)
	conn, came := a.conn, a.came
	a.reading.Go(func() {
		buf := make([]byte, 4096)
		for {
			if _, err := conn.Read(buf); err != nil {
				close(came)
				return
			}
			select {
			case came <- struct{}{}:
			default:
			}
		}
	})
}

func (a *actor) leave() {
	if a.conn != nil {
		_ = a.conn.Close()
		a.reading.Wait()
		a.conn = nil
	}
}

func (a *actor) write(first byte, body []byte) {
	packet := append([]byte{first}, byte(len(body)))
	if len(body) > 127 {
		packet = []byte{first, byte(len(body)) | 0x80, byte(len(body) >> 7)}
	}
	_ = a.conn.SetWriteDeadline(time.Now().Add(patience))
	_, _ = a.conn.Write(append(packet, body...)) // the broker may have thrown it out
}

// properties are those of MQTT 5: none.
func (a *actor) properties() []byte {
	if a.five {
		return []byte{0}
	}
	return nil
}

func (a *actor) act(op byte, p *program) {
	switch op {
	case 0:
		a.connect(p.next(), p.next())
	case 1:
		_ = a.conn.SetWriteDeadline(time.Now().Add(patience))
		_, _ = a.conn.Write(p.some())
	case 2, 8:
		filter := text(playFilters[int(p.next())%len(playFilters)])
		if op == 8 {
			a.write(0xa2, join([]byte{0, 1}, a.properties(), filter))
			return
		}
		a.write(0x82, join([]byte{0, 1}, a.properties(), filter, []byte{p.next()}))
	case 3:
		a.publish(p)
	case 4:
		kind := 4 + p.next()%4
		first := kind << 4
		if kind == 6 {
			first |= 2
		}
		a.write(first, []byte{0, p.next()})
	case 5:
		a.leave()
	case 6: // wait until the broker has got so far, if it says so
		a.write(0xc0, nil)
		select {
		case <-a.came:
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// connect sends a CONNECT: the upper bits of how are the version, the lower ones the client
// identifier, flags those of §3.1.2.3.
func (a *actor) connect(how, flags byte) {
	name, version := "MQTT", 4+how>>7
	if how>>6 == 1 {
		name, version = "MQIsdp", 3
	}
	a.five = version == 5
	body := join(text(name), []byte{version, flags, 0, 60}, a.properties(), text(string('i'+rune(how&3))))
	if flags&4 != 0 {
		body = join(body, a.properties(), text(playTopics[int(how>>2&7)]), text("will"))
	}
	if flags&0x80 != 0 {
		body = join(body, text("user"))
	}
	if flags&0x40 != 0 {
		body = join(body, text("password"))
	}
	a.write(0x10, body)
}

func (a *actor) publish(p *program) {
	first := 0x30 | p.next()&15
	body := text(playTopics[int(p.next())%len(playTopics)])
	if first&6 != 0 {
		body = join(body, []byte{0, 7})
	}
	a.write(first, join(body, a.properties(), p.some()))
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
