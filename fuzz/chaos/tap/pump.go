package tap

import (
	"bufio"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/tap/frame"
)

const (
	queueItems = 4096    // packets that wait to be written in one direction
	queueBytes = 4 << 20 // and their bytes; one packet more may be in hand
)

// pump forwards one direction: read takes packets from one side, applies the faults and queues
// them; write takes them from the queue when their time has come.
type pump struct {
	conn     *conn
	dir      Dir
	from, to *net.TCPConn
	rand     *rand.Rand // of read only
	queue    chan item
	bytes    atomic.Int64  // in queue
	room     chan struct{} // bytes has become less
	finished atomic.Bool   // nothing more is forwarded
}

// item is a packet that waits to be written, or the end.
type item struct {
	Packet
	at       time.Time     // not before; zero: now
	behind   time.Duration // let one packet pass for so long
	cut      bool          // half of it, then reset
	pieces   int           // write in pieces of so many bytes; 0: as a whole
	throttle int           // bytes a second; 0: no limit
	last     bool          // no packet: the end of the direction
	reset    bool          // last: by RST
}

func newPump(c *conn, dir Dir, from, to *net.TCPConn) *pump {
	return &pump{
		conn: c, dir: dir, from: from, to: to,
		rand:  rand.New(rand.NewPCG(c.tap.seed, c.number<<2|uint64(dir))),
		queue: make(chan item, queueItems), room: make(chan struct{}, 1),
	}
}

// read forwards packets to the queue until the stream ends.
func (p *pump) read() {
	defer close(p.queue)
	in := bufio.NewReaderSize(p.from, 64<<10)
	for {
		raw, err := frame.Read(in, p.conn.tap.options.MaxPacket)
		if err != nil {
			p.readError(err)
			return
		}
		it := item{Packet: Packet{Conn: p.conn.number, Dir: p.dir}}
		header := p.understand(&it.Packet, raw)
		if hook := p.conn.tap.options.Hooks.Seen; hook != nil {
			hook(&it.Packet)
		}
		copies, ok := p.apply(&it, header)
		for ; ok && copies > 0; copies-- {
			ok = p.enqueue(it)
			it.Copy = true
		}
		if p.conn.ctx.Err() != nil {
			return
		}
	}
}

// understand reads the packet's fields and learns who the client is.
func (p *pump) understand(pk *Packet, raw []byte) (header int) {
	c := p.conn
	if raw[0]>>4 == typeConnect && p.dir == ToBroker {
		c.version.Store(int32(versionOf(raw)))
	}
	header, _ = pk.parse(raw, byte(c.version.Load())) // what cannot be read is forwarded all the same
	if pk.Type == typeConnect && p.dir == ToBroker {
		id := pk.Client
		c.id.Store(&id)
	}
	pk.Client = c.clientID()
	return header
}

// readError ends the direction in the way in which its source has.
func (p *pump) readError(err error) {
	var partial *frame.PartialError
	if errors.As(err, &partial) {
		if hook := p.conn.tap.options.Hooks.Partial; hook != nil {
			pk := Packet{Conn: p.conn.number, Dir: p.dir}
			p.understand(&pk, partial.Got)
			hook(&pk, len(partial.Got), partial.Length)
		}
	}
	fin := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	p.enqueue(item{last: true, reset: !fin})
}

// enqueue waits for room. False: the connection is to end.
func (p *pump) enqueue(it item) bool {
	for p.bytes.Load() > queueBytes {
		select {
		case <-p.room:
		case <-p.conn.ctx.Done():
			return false
		}
	}
	p.bytes.Add(int64(len(it.Raw)))
	select {
	case p.queue <- it:
		return true
	case <-p.conn.ctx.Done():
		return false
	}
}
