package compare

import (
	"net"

	"github.com/valyala/fasthttp"

	"github.com/flowsync-go/flowsync/bench"
)

// echo is fasthttp that answers with what it was asked with: nobody who holds requests of HTTP can
// be cheaper than this.
func echo(bench.Config) (bench.Server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return bench.Server{}, err
	}
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("application/json")
		ctx.SetBody(ctx.PostBody())
	}}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	stop := func() error {
		if err := server.Shutdown(); err != nil {
			return err
		}
		return <-served
	}
	return bench.Server{Address: ln.Addr().String(), Stop: stop}, nil
}
