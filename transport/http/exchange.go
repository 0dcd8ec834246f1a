package http

import (
	"sync/atomic"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
)

// The states of an exchange.
const (
	exchangeIdle      int32 = iota // no transaction
	exchangeOpen                   // begun; whoever leaves this state first decides
	exchangeEnding                 // the completer writes, the connection waits
	exchangeAbandoned              // the connection panicked; the completer must not write
)

// exchange is one request and its reply. It belongs to the goroutine of its connection, but
// for result, null and the body of the reply, which Complete fills in between leaving
// exchangeOpen and conn.end.
type exchange struct {
	server *Server
	conn   *conn
	ctx    *fasthttp.RequestCtx
	head   head
	target target
	found  lookup
	route  *boundRoute
	media  media
	cors   bool // its origin was explicitly allowed

	call  core.Call
	props []core.Property
	buf   []byte // the value, if it had to be made

	state  atomic.Int32
	result core.Result
	null   bool // the answer's value is null
}

// maxKeptBuffer keeps single large values from staying in the pool, in bytes.
const maxKeptBuffer = 16 << 10

func newExchange(s *Server) *exchange {
	return &exchange{server: s}
}

func (s *Server) take(ctx *fasthttp.RequestCtx) *exchange {
	x := s.exchange.Get().(*exchange)
	x.ctx, x.conn = ctx, ctx.Conn().(based).base()
	return x
}

func (s *Server) give(x *exchange) {
	x.ctx, x.conn, x.route, x.found.resource = nil, nil, nil, nil
	x.target, x.media, x.cors = target{}, media{}, false
	x.call, x.result, x.null = core.Call{}, core.Result{}, false
	clear(x.props)
	x.props = x.props[:0]
	if cap(x.buf) > maxKeptBuffer {
		x.buf = nil
	}
	s.exchange.Put(x)
}

// Complete implements [core.Completer]. The value is copied once, into the reply. The end
// comes last: after it nothing of the exchange or its connection is touched.
func (x *exchange) Complete(r core.Result) {
	if !x.state.CompareAndSwap(exchangeOpen, exchangeEnding) {
		return
	}
	if r.Outcome == core.Answered {
		x.null = len(r.Value) == 0 || string(r.Value) == "null"
		if !x.null {
			x.ctx.Response.SetBody(r.Value)
		}
	}
	r.Value = nil
	x.result = r
	x.conn.end()
}

// abandon keeps a completer that may still come from writing. False if none will come.
func (x *exchange) abandon() bool {
	if x.state.CompareAndSwap(exchangeOpen, exchangeAbandoned) {
		return true
	}
	if x.state.Load() == exchangeEnding {
		x.conn.awaitEnd()
		x.state.Store(exchangeIdle)
	}
	return false
}
