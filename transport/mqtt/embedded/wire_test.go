package embedded

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// wire is a client that speaks MQTT 3.1.1 byte by byte.
type wire struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
}

// dial connects a client with MQTT 3.1.1, keep-alive off.
func (g *gateway) dial(id string, clean bool) *wire {
	g.t.Helper()
	w := g.wire()
	_, err := w.conn.Write(connect(id, clean))
	require.NoError(g.t, err)
	kind, body := w.next()
	require.Equal(g.t, byte(0x20), kind)
	require.Zero(g.t, body[1], "the broker refused")
	return w
}

// wire connects a client that has not said anything yet.
func (g *gateway) wire() *wire {
	g.t.Helper()
	conn, in := g.open()
	return &wire{g.t, conn, in, bufio.NewWriterSize(conn, 64<<10)}
}

// open connects and says nothing.
func (g *gateway) open() (net.Conn, *bufio.Reader) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.broker.Addr())
	require.NoError(g.t, err)
	g.t.Cleanup(func() { conn.Close() })
	return conn, bufio.NewReaderSize(conn, 64<<10)
}

func connect(id string, clean bool) []byte {
	flags := byte(0)
	if clean {
		flags = 2
	}
	return connectWith(flags, text(id))
}

func connectWith(flags byte, rest []byte) []byte {
	body := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, flags, 0, 0}, rest...)
	return append([]byte{0x10, byte(len(body))}, body...)
}

func text(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }

func (w *wire) put(kind byte, body []byte) error {
	head := []byte{kind}
	for n := len(body); ; {
		b := byte(n & 127)
		if n >>= 7; n > 0 {
			head = append(head, b|128)
			continue
		}
		head = append(head, b)
		break
	}
	if _, err := w.out.Write(head); err != nil {
		return err
	}
	_, err := w.out.Write(body)
	return err
}

func (w *wire) send(kind byte, body []byte) {
	w.t.Helper()
	require.NoError(w.t, w.put(kind, body))
	require.NoError(w.t, w.out.Flush())
}

func (w *wire) subscribe(topic string, qos byte) {
	w.t.Helper()
	w.send(0x82, append(append([]byte{0, 9}, text(topic)...), qos))
	kind, body := w.next()
	require.Equal(w.t, byte(0x90), kind)
	require.Equal(w.t, qos, body[2])
}

func (w *wire) publish(flags byte, topic string, payload []byte) {
	w.t.Helper()
	w.send(0x30|flags, publication(flags, topic, payload))
}

func publication(flags byte, topic string, payload []byte) []byte {
	body := text(topic)
	if flags&6 != 0 {
		body = append(body, 0, 7)
	}
	return append(body, payload...)
}

func (w *wire) next() (kind byte, body []byte) {
	w.t.Helper()
	require.NoError(w.t, w.conn.SetReadDeadline(time.Now().Add(patience)))
	kind, body, err := w.read()
	require.NoError(w.t, err)
	return kind, body
}

func (w *wire) read() (kind byte, body []byte, err error) {
	if kind, err = w.in.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(w.in)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, n)
	_, err = io.ReadFull(w.in, body)
	return kind, body, err
}

// message reads a PUBLISH.
func (w *wire) message() (topic string, payload []byte) {
	w.t.Helper()
	kind, body := w.next()
	require.Equal(w.t, byte(0x30), kind&0xf0)
	return split(kind, body)
}

func split(kind byte, body []byte) (topic string, payload []byte) {
	n := 2 + int(binary.BigEndian.Uint16(body))
	topic = string(body[2:n])
	if kind&6 != 0 {
		n += 2
	}
	return topic, body[n:]
}

// respond answers every request with its own value, until the connection ends.
func (w *wire) respond() (stopped <-chan struct{}) {
	w.t.Helper()
	w.subscribe("a/treq", 0)
	return w.answering(func(kind byte, body []byte) error {
		_, payload := split(kind, body)
		answer, err := echo(payload)
		if err != nil {
			return err
		}
		return w.put(0x30, publication(0, "a/tres", answer))
	})
}

// answering hands each packet to answer, and writes what that has put when nothing more is there to
// read, until the connection ends or answer fails.
func (w *wire) answering(answer func(kind byte, body []byte) error) (stopped <-chan struct{}) {
	w.t.Helper()
	require.NoError(w.t, w.conn.SetReadDeadline(time.Time{}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			kind, body, err := w.read()
			if err != nil || answer(kind, body) != nil || w.in.Buffered() == 0 && w.out.Flush() != nil {
				return
			}
		}
	}()
	return done
}

// echo is the answer to a request that has its value.
func echo(request []byte) ([]byte, error) {
	r, err := core.DecodeAnswer(request)
	return core.AppendRequest(nil, r.ID, 1, r.Value), err
}
