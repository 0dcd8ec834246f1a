package compare

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// sketchMQTT is a connection of MQTT 3.1.1 with QoS 0, which writes what has gathered.
type sketchMQTT struct {
	conn       net.Conn
	in         *bufio.Reader
	subscribed chan struct{}

	mu     sync.Mutex // guards all below
	more   sync.Cond
	out    []byte
	closed bool
}

func dialSketch(address string) (*sketchMQTT, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	m := &sketchMQTT{conn: conn, in: bufio.NewReaderSize(conn, 64<<10), subscribed: make(chan struct{})}
	m.more.L = &m.mu
	// CONNECT: protocol MQTT, level 4, clean session, no keep alive, client id "sketch".
	if _, err := conn.Write([]byte("\x10\x12\x00\x04MQTT\x04\x02\x00\x00\x00\x06sketch")); err != nil {
		return nil, err
	}
	var ack [4]byte
	if _, err := io.ReadFull(m.in, ack[:]); err != nil {
		return nil, err
	}
	if ack != [4]byte{0x20, 2, 0, 0} {
		return nil, fmt.Errorf("compare: the broker answers CONNECT with % x", ack)
	}
	go m.write()
	return m, nil
}

// subscribe returns when the broker has agreed; read runs by then.
func (m *sketchMQTT) subscribe(topic string) error {
	m.mu.Lock()
	m.out = append(m.out, 0x82, byte(len(topic)+5), 0, 1)
	m.out = append(appendText(m.out, topic), 0)
	m.mu.Unlock()
	m.more.Signal()
	<-m.subscribed
	return nil
}

func (m *sketchMQTT) publish(topic string, payload []byte) {
	m.mu.Lock()
	m.out = binary.AppendUvarint(append(m.out, 0x30), uint64(2+len(topic)+len(payload))) // MQTT counts in the same way
	m.out = append(appendText(m.out, topic), payload...)
	m.mu.Unlock()
	m.more.Signal()
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

func (m *sketchMQTT) write() {
	var taken []byte
	for {
		m.mu.Lock()
		for len(m.out) == 0 && !m.closed {
			m.more.Wait()
		}
		if m.closed {
			m.mu.Unlock()
			return
		}
		taken, m.out = m.out, taken[:0]
		m.mu.Unlock()
		if _, err := m.conn.Write(taken); err != nil {
			return
		}
	}
}

// read calls receive with the payload of each message, until the connection ends.
func (m *sketchMQTT) read(receive func([]byte)) {
	defer func() {
		m.mu.Lock()
		m.closed = true
		m.mu.Unlock()
		m.more.Signal()
	}()
	var body []byte
	for {
		first, err := m.in.ReadByte()
		if err != nil {
			return
		}
		length, err := binary.ReadUvarint(m.in)
		if err != nil || length > 1<<20 {
			return
		}
		if uint64(cap(body)) < length {
			body = make([]byte, length)
		}
		body = body[:length]
		if _, err := io.ReadFull(m.in, body); err != nil {
			return
		}
		switch first >> 4 {
		case 3: // PUBLISH
			receive(body[2+binary.BigEndian.Uint16(body):])
		case 9: // SUBACK
			close(m.subscribed)
		}
	}
}
