package compare

import (
	"bytes"
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/bench"
)

// sketch is about the least that does the work: fasthttp, packets of MQTT 3.1.1 made by hand and
// gathered into few writes, a map and channels. It believes everything, forgets nothing that is not
// answered, has no deadlines, and ends with its connection.
func sketch(c bench.Config) (bench.Server, error) {
	mqtt, err := dialSketch(c.Broker)
	if err != nil {
		return bench.Server{}, err
	}
	m := newMatcher(func(payload []byte) { mqtt.publish(bench.EchoTopic+"/treq", payload) })
	go mqtt.read(m.answer)
	if err := mqtt.subscribe(bench.EchoTopic + "/tres"); err != nil {
		return bench.Server{}, err
	}
	address, stop, err := m.serve()
	return bench.Server{Address: address, Stop: func() error { return errors.Join(stop(), mqtt.conn.Close()) }}, err
}

// matcher holds requests until they are answered.
type matcher struct {
	publish func(payload []byte)
	pool    sync.Pool // of *place

	mu      sync.Mutex
	last    uint64
	waiting map[string]*place
}

// place is where a request waits.
type place struct {
	answered chan struct{}
	value    []byte
	payload  []byte
}

func newMatcher(publish func([]byte)) *matcher {
	m := &matcher{publish: publish, waiting: map[string]*place{}}
	m.pool.New = func() any { return &place{answered: make(chan struct{}, 1)} }
	return m
}

func (m *matcher) serve() (address string, stop func() error, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &fasthttp.Server{Handler: m.handle}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	return ln.Addr().String(), func() error { return errors.Join(server.Shutdown(), <-served) }, nil
}

// What is around id and value of a message.
const idAt, timestampAt, valueAt = `{"id":"`, `","timestamp":`, `,"value":`

func (m *matcher) handle(ctx *fasthttp.RequestCtx) {
	p := m.pool.Get().(*place)
	m.mu.Lock()
	m.last++
	id := strconv.FormatUint(m.last, 16)
	m.waiting[id] = p
	m.mu.Unlock()
	b := append(append(p.payload[:0], idAt...), id...)
	b = strconv.AppendInt(append(b, timestampAt...), time.Now().UnixMilli(), 10)
	b = append(append(append(b, valueAt...), ctx.PostBody()...), '}')
	p.payload = b
	m.publish(b)
	<-p.answered
	ctx.SetContentType("application/json")
	ctx.SetBody(p.value)
	m.pool.Put(p)
}

// answer takes a message on the answer topic.
func (m *matcher) answer(payload []byte) {
	rest, ok := bytes.CutPrefix(payload, []byte(idAt))
	end := bytes.IndexByte(rest, '"')
	at := bytes.Index(rest, []byte(valueAt))
	if !ok || end < 0 || at < 0 {
		return
	}
	m.mu.Lock()
	p := m.waiting[string(rest[:end])]
	delete(m.waiting, string(rest[:end]))
	m.mu.Unlock()
	if p != nil {
		p.value = append(p.value[:0], rest[at+len(valueAt):len(rest)-1]...)
		p.answered <- struct{}{}
	}
}
