package mqtt

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/stretchr/testify/require"
)

// FuzzConn: whatever a broker sends and however TCP cuts it, packets are told apart as by a model
// that has all bytes at once: what is ours comes whole and in order, paho is given the rest, and
// nothing that comes before CONNACK or is too large is looked at.
func FuzzConn(f *testing.F) {
	connack := []byte{0x20, 3, 0, 0, 0}
	publish := append([]byte{0x32, 12, 0, 1, 'a', 0, 7, 5, 9, 0, 2, 'x', 'y', '1'}, 0xd0, 0)
	f.Add(bytes.Join([][]byte{connack, publish, {0x90, 4, 0, 1, 0, 0}, publish}, nil), uint16(3))
	f.Add(append([]byte{0x20, 3, 1, 0, 0, 0x40, 2, 0, 1}, publish...), uint16(0))
	f.Add(append([]byte{0xf0, 0}, connack...), uint16(1))
	f.Add(publish, uint16(0))                                                         // before CONNACK
	f.Add([]byte{0x20, 2, 0, 0}, uint16(0))                                           // MQTT 3.1.1
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"), uint16(5))                      // no broker
	f.Add(append(connack, 0x30, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3), uint16(0))          // too large
	f.Add(append(connack, 0x30, 0xff, 0xff, 0xff, 0xff, 1), uint16(2))                // no length
	f.Add(append(append(connack, 0x30, 0xe8, 7), make([]byte, 1000)...), uint16(700)) // large
	for _, more := range []byte{0, 1} {                                               // as large as may be, and one byte more
		packet := append(append(bytes.Clone(connack), 0x30, 0xfd+more, 7), make([]byte, minMaxPacket-3+int(more))...)
		f.Add(append(packet, 0xd0, 0), uint16(0))
	}
	f.Add([]byte{0x20, 6, 0, 0x87, 3, 0x1f, 0, 0, 0xe0, 0}, uint16(4))                                       // refused
	f.Add(bytes.Join([][]byte{connack, {0x30, 0x80, 0x00}, {0x30, 0x82, 0x80, 0x00, 1, 2}}, nil), uint16(1)) // overlong lengths
	checked, err := Options{URL: "mqtt://x", Logger: quiet(), MaxPacket: minMaxPacket}.complete()
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, raw []byte, cut uint16) {
		var got framed
		c := newConn(&pieces{rest: raw, size: int(cut)}, &checked, nil, new(counters))
		c.start(func() { got.fresh = append(got.fresh, len(got.paho)) }, func(first byte, body []byte) error {
			require.Less(t, len(got.ours), len(raw)+1)
			got.ours = append(got.ours, ours{len(got.paho), first, string(body)})
			return nil
		})
		buf := make([]byte, 1+int(cut)%97)
		for {
			n, err := c.Read(buf)
			got.paho = append(got.paho, buf[:n]...)
			if err != nil {
				require.ErrorIs(t, c.cause(), err)
				break
			}
			require.Positive(t, n, "a Read that reads nothing")
		}
		require.NoError(t, c.Close())
		require.Equal(t, framedModel(raw, minMaxPacket), got, "%q", raw)
	})
}

// framed is what was made of a stream of bytes.
type framed struct {
	paho  []byte
	ours  []ours
	fresh []int // how much paho had been given when fresh was called
}

// ours is a packet that does not go through paho.
type ours struct {
	after int // how much paho had been given
	first byte
	body  string
}

func framedModel(raw []byte, most int) (want framed) {
	for greeted := false; ; greeted = true {
		header, length, ok := headerModel(raw)
		if !ok {
			return want
		}
		kind, whole := raw[0]>>4, raw[:min(len(raw), header+length)]
		isOurs := kind >= packets.PUBLISH && kind <= packets.PUBCOMP
		connack := kind == packets.CONNACK
		switch {
		case !greeted && !connack && kind != packets.AUTH:
			return want
		case header+length > most || connack && length == 2:
			return want
		case isOurs && len(whole) < header+length || connack && length > 2 && len(whole) < header+2:
			return want // it never comes as far as that
		case isOurs:
			want.ours = append(want.ours, ours{len(want.paho), raw[0], string(whole[header:])})
		default:
			if connack && length > 2 && whole[header]&1 == 0 && whole[header+1] < 0x80 {
				want.fresh = append(want.fresh, len(want.paho))
			}
			want.paho = append(want.paho, whole...)
		}
		raw = raw[len(whole):]
	}
}

// headerModel reads a fixed header (§2.1), if it is there.
func headerModel(raw []byte) (header, length int, ok bool) {
	for i := 1; i < len(raw) && i <= 4; i++ {
		length |= int(raw[i]&0x7f) << (7 * (i - 1))
		if raw[i] < 0x80 {
			return i + 1, length, true
		}
	}
	return 0, 0, false
}

// pieces is a connection from which comes at most so much at once; 0: everything.
type pieces struct {
	rest []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return 0, io.EOF
	}
	n := len(p.rest)
	if p.size > 0 {
		n = min(n, p.size)
	}
	n = copy(b, p.rest[:n])
	p.rest = p.rest[n:]
	return n, nil
}

func (p *pieces) Write(b []byte) (int, error)      { return 0, errors.New("nobody listens") }
func (p *pieces) Close() error                     { return nil }
func (p *pieces) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (p *pieces) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (p *pieces) SetDeadline(time.Time) error      { return nil }
func (p *pieces) SetReadDeadline(time.Time) error  { return nil }
func (p *pieces) SetWriteDeadline(time.Time) error { return nil }
