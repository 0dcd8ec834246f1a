package requester

import (
	"context"
	"net"
	"sync"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// pipelined is how many requests are sent at once on a connection, now and then, if they wait already and are
// all for the node that has this one's kind.
const pipelined = 3

// HTTP asks what line hands out, over so many connections, until ctx ends or nothing is handed
// out any more. What is under way then still gets its reply.
func HTTP(ctx context.Context, o *Options, line <-chan Request, connections int) {
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			w := &httpWorker{o: o, c: newHTTPConn(o), twin: newHTTPConn(o)}
			defer w.c.drop()
			defer w.twin.drop()
			for q := range line {
				w.do(ctx, q, line)
			}
		})
	}
	all.Wait()
}

// httpWorker is one requester with a connection, and another one for twins.
type httpWorker struct {
	o       *Options
	c, twin *httpConn
}

func (w *httpWorker) do(ctx context.Context, q Request, line <-chan Request) {
	switch {
	case q.Key != "":
		w.keyed(ctx, q)
	case q.Leave > 0:
		w.leave(ctx, q)
	case q.Node.Name == "substitute": // short timeouts: who stands behind does not wait for long
		w.pipeline(ctx, q, line)
	default:
		w.single(ctx, w.c, q)
	}
}

// single asks and waits for the reply; false: there was no connection, and nothing was asked.
func (w *httpWorker) single(ctx context.Context, c *httpConn, q Request) (history.Replied, bool) {
	if !c.ready(ctx) {
		return history.Replied{}, false
	}
	a := w.o.ask(q, q.httpLimit())
	var r history.Replied
	if c.send(a) == nil {
		r = c.receive(a)
	} else { // it may have read some of it, and may have answered
		r = c.receive(a)
		c.drop()
	}
	w.o.ended(a, r)
	return r, true
}

// leave goes away before the reply. Half of those who leave say so with a reset.
func (w *httpWorker) leave(ctx context.Context, q Request) {
	if !w.c.ready(ctx) {
		return
	}
	a := w.o.ask(q, q.httpLimit())
	if err := w.c.send(a); err != nil {
		w.c.drop()
		w.o.ended(a, history.Replied{Way: history.Ended})
		return
	}
	pause(ctx, q.Leave)
	if tcp, ok := w.c.conn.(*net.TCPConn); ok && q.Marker>>8&1 == 0 {
		_ = tcp.SetLinger(0)
	}
	w.c.drop()
	w.o.ended(a, history.Replied{Way: history.Left})
}

// pipeline sends what else waits for the same node behind the request, and reads all replies.
func (w *httpWorker) pipeline(ctx context.Context, q Request, line <-chan Request) {
	all := []Request{q}
	var other *Request
	for len(all) < pipelined && other == nil {
		select {
		case next, ok := <-line:
			switch {
			case !ok:
				other = &Request{}
			case next.Node == q.Node && next.Leave == 0:
				all = append(all, next)
			default:
				other = &next
			}
			continue
		default:
		}
		break
	}
	w.inOrder(ctx, all)
	if other != nil && other.Node != nil {
		w.do(ctx, *other, line)
	}
}

// inOrder sends several requests at once.
func (w *httpWorker) inOrder(ctx context.Context, all []Request) {
	if !w.c.ready(ctx) {
		return
	}
	under := make([]*asked, len(all))
	for i, q := range all {
		under[i] = w.o.ask(q, q.httpLimit())
	}
	_ = w.c.send(under...) // what became of it is seen when reading
	for _, a := range under {
		if w.c.conn == nil { // the one before has ended it
			w.o.ended(a, history.Replied{Way: history.Ended})
			continue
		}
		w.o.ended(a, w.c.receive(a))
	}
}

// keyed asks with a key until there is an answer, or often enough.
func (w *httpWorker) keyed(ctx context.Context, q Request) {
	for range q.Tries {
		r, ok := w.twins(ctx, q)
		if !ok {
			return
		}
		if r.Outcome == "answered" || r.Outcome == "responder_error" {
			break
		}
	}
	if q.Repeat {
		w.single(ctx, w.c, q)
	}
	if q.Clash != 0 {
		w.single(ctx, w.c, q.other())
	}
}

// twins asks, twice at the same time if the request says so.
func (w *httpWorker) twins(ctx context.Context, q Request) (history.Replied, bool) {
	if !q.Twin {
		return w.single(ctx, w.c, q)
	}
	var other sync.WaitGroup
	other.Go(func() { w.single(ctx, w.twin, q) })
	r, ok := w.single(ctx, w.c, q)
	other.Wait()
	return r, ok
}
