package compare

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/server"
	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uasc"

	"github.com/flowsync-go/flowsync/bench"
	"github.com/flowsync-go/flowsync/core"
)

// gopcua starts the server of the library with a Call service that defers its responses.
func gopcua(c bench.Config, b *bench.Backend) (string, func() error, error) {
	if c.Security != "None" {
		return "", nil, fmt.Errorf("compare: gopcua's server does not do %s", c.Security)
	}
	node, err := b.AddNode("Echo", nil)
	if err != nil {
		return "", nil, err
	}
	port, err := freePort()
	if err != nil {
		return "", nil, err
	}
	s := server.New(
		server.EndPoint("127.0.0.1", port),
		server.EnableSecurity("None", ua.MessageSecurityModeNone),
		server.EnableAuthMode(ua.UserTokenTypeAnonymous),
	)
	d := &deferring{engine: b.Engine, node: node}
	s.RegisterHandler(id.CallRequest_Encoding_DefaultBinary, d.call) // the first to be registered counts
	ctx, cancel := context.WithCancel(context.Background())
	if err := s.Start(ctx); err != nil {
		cancel()
		return "", nil, err
	}
	stop := func() error {
		cancel() // Close alone would wait for clients to go
		return s.Close()
	}
	return fmt.Sprintf("opc.tcp://127.0.0.1:%d", port), stop, nil
}

// freePort finds a port: the library does not tell which one it got.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

// deferring is a Call service.
type deferring struct {
	engine *core.Engine
	node   *core.Node
}

// call begins the transaction of a Call and leaves the response for later.
func (d *deferring) call(sc *uasc.SecureChannel, r ua.Request, requestID uint32) (ua.Response, error) {
	request, ok := r.(*ua.CallRequest)
	if !ok || len(request.MethodsToCall) != 1 || len(request.MethodsToCall[0].InputArguments) != 1 {
		return nil, ua.StatusBadInvalidArgument
	}
	if request.MethodsToCall[0].MethodID.StringID() != bench.Method {
		return nil, ua.StatusBadMethodInvalid
	}
	text, ok := request.MethodsToCall[0].InputArguments[0].Value().(string)
	if !ok {
		return nil, ua.StatusBadTypeMismatch
	}
	value := make([]byte, 0, len(before)+len(text)+len(after))
	value = append(append(append(value, before...), text...), after...)
	d.engine.Begin(&core.Call{Node: d.node, Value: value}, &deferred{sc: sc, id: requestID, handle: request.RequestHeader.RequestHandle})
	return nil, nil
}

// What is around the text of a value: the workload's texts need no escaping.
const before, after = `{"v":"`, `"}`

// deferred is a Call that has not been responded to.
type deferred struct {
	sc         *uasc.SecureChannel
	id, handle uint32
}

// Complete implements [core.Completer].
func (d *deferred) Complete(r core.Result) {
	result := &ua.CallMethodResult{StatusCode: ua.StatusOK}
	if n := len(r.Value) - len(after); r.Outcome == core.Answered && n >= len(before) {
		result.OutputArguments = []*ua.Variant{ua.MustVariant(string(r.Value[len(before):n]))}
	} else {
		result.StatusCode = ua.StatusBadUnexpectedError
	}
	response := &ua.CallResponse{
		ResponseHeader: &ua.ResponseHeader{
			Timestamp: time.Now(), RequestHandle: d.handle,
			ServiceDiagnostics: &ua.DiagnosticInfo{}, AdditionalHeader: ua.NewExtensionObject(nil),
		},
		Results: []*ua.CallMethodResult{result},
	}
	_ = d.sc.SendResponseWithContext(context.Background(), d.id, response) // what is lost is counted at the other end
}
