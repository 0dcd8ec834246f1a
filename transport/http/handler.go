package http

import (
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/core"
)

// handle is the way of a request that has arrived in full.
func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	x := s.take(ctx)
	defer s.finish(x)
	if x.conn.state.Load() == connTaken { // the drain was first, see connState
		x.conn.gone = true
		return
	}
	if r := s.judge(x); r != nil {
		x.refuse(r)
		return
	}
	switch {
	case x.route.Transaction != nil:
		s.transact(x)
	case x.route.Receive != nil:
		s.receive(x)
	default:
		s.provide(x)
	}
}

// finish ends an exchange, whatever happened in it.
func (s *Server) finish(x *exchange) {
	if p := recover(); p != nil {
		s.options.Logger.Error("a request made the server panic", "panic", p, "stack", string(debug.Stack()))
		abandoned := x.abandon()
		x.ctx.Response.Reset()
		x.refuse(&refusal{status: fasthttp.StatusInternalServerError, detail: "the gateway failed; its log says how", end: true})
		if abandoned {
			return // its transaction may still refer to it: leave it to the garbage collector
		}
	}
	if s.isDraining() || x.conn.gone {
		x.ctx.SetConnectionClose()
	}
	s.give(x)
}

// transact holds a request until its transaction has ended.
func (s *Server) transact(x *exchange) {
	value, r := x.value()
	if r != nil {
		x.refuse(r)
		return
	}
	key, r := x.key()
	if r != nil {
		x.refuse(r)
		return
	}
	x.call = core.Call{
		Node:       x.route.Transaction.Node,
		Value:      value,
		Timeout:    x.head.limit(),
		Properties: x.properties(),
		Key:        key,
	}
	if x.route.NeedMeta {
		x.call.Meta = x.meta()
	}
	x.conn.arm()
	x.state.Store(exchangeOpen)
	id := s.options.Engine.Begin(&x.call, x)
	x.ctx.Request.ResetBody() // the engine keeps nothing: what is held does not cost its body
	if x.conn.await(s.stopped) {
		s.options.Engine.Cancel(id) // false: it ends or has ended in another way
		x.conn.awaitEnd()
		x.conn.gone = x.result.Outcome == core.Cancelled
	}
	x.state.Store(exchangeIdle)
	x.reply()
}

// receive passes a value on and answers at once.
func (s *Server) receive(x *exchange) {
	value, r := x.value()
	if r != nil {
		x.refuse(r)
		return
	}
	var meta *Meta
	if x.route.NeedMeta {
		meta = x.meta()
	}
	if err := x.route.Receive(value, meta); err != nil {
		x.fail(&core.Result{Outcome: core.OutcomeOf(err), Message: err.Error()})
		return
	}
	x.headers()
	x.ctx.SetStatusCode(fasthttp.StatusNoContent)
}

// provide answers with what there is.
func (s *Server) provide(x *exchange) {
	value, ok := x.route.Provide()
	if !ok {
		x.refuse(refuse(fasthttp.StatusNotFound, "there is no value yet"))
		return
	}
	x.headers()
	x.ctx.Response.Header.SetContentType(jsonType)
	x.ctx.SetBody(value)
}
