package requester

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// Slow are requesters that ask as fast as they can and do not read what is answered, over so many
// connections and sessions, until ctx ends. When the gateway ends a connection they make another one. None of it is
// recorded or counted, but how many requests were written.
func Slow(ctx context.Context, o *Options, p *Planner, connections, sessions int, written *atomic.Uint64) {
	var all sync.WaitGroup
	var number atomic.Uint64
	next := func(kinds ...Kind) Request {
		for {
			q := p.Plan(unread + number.Add(1))
			for _, kind := range kinds {
				if q.Node.Kind == kind && q.Key == "" {
					return q
				}
			}
		}
	}
	for range connections {
		all.Go(func() {
			for ctx.Err() == nil {
				slowHTTP(ctx, o, func() Request { return next(Post, Get) }, written)
				pause(ctx, slowPause)
			}
		})
	}
	for range sessions {
		all.Go(func() {
			for ctx.Err() == nil {
				slowOPCUA(ctx, o, func() Request { return next(Method, Write) }, written)
				pause(ctx, slowPause)
			}
		})
	}
	all.Wait()
}

// slowPause is how long is waited before a new connection.
const slowPause = 200 * time.Millisecond

// slowHTTP writes until the connection or ctx ends. A write that cannot go on waits.
func slowHTTP(ctx context.Context, o *Options, next func() Request, written *atomic.Uint64) {
	conn, err := o.Connect(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(4096)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	var b []byte
	for {
		q := next()
		b = appendHTTP(b[:0], o.Host, &q)
		if _, err := conn.Write(b); err != nil {
			return
		}
		written.Add(1)
	}
}

// slowOPCUA sends until the session or ctx ends. Its reader stands still from the first reply on.
func slowOPCUA(ctx context.Context, o *Options, next func() Request, written *atomic.Uint64) {
	stuck, release := context.WithCancel(ctx)
	defer release()
	client, err := rawclient.Dial(ctx, rawclient.Options{
		Endpoint: o.Endpoint, NoWait: true, Timeout: loginTime, WriteTimeout: time.Hour,
		Deliver: func(rawclient.Response) { <-stuck.Done() },
	})
	if err != nil {
		return
	}
	defer client.Abort()
	defer release() // before the reader is waited for
	if _, err := client.Login(ctx, rawclient.Identity{}, time.Minute); err != nil {
		return
	}
	for ctx.Err() == nil {
		q := next()
		_, err := client.Send(q.message())
		switch {
		case err == nil:
			written.Add(1)
		case client.Err() != nil:
			return
		default: // full
			pause(ctx, slowPause)
		}
	}
}
