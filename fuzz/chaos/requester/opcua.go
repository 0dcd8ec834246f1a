package requester

import (
	"context"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// OPCUA asks what line hands out over so many sessions, with at most so many requests under way on
// each, until ctx ends or nothing is handed out any more. What is under way then still gets its reply.
func OPCUA(ctx context.Context, o *Options, line <-chan Request, sessions, underWay int) {
	var all sync.WaitGroup
	for range sessions {
		all.Go(func() {
			k := &keeper{o: o, places: make(chan struct{}, underWay)}
			k.run(ctx, line)
		})
	}
	all.Wait()
}

// keeper looks after one session, which it makes anew when it was lost.
type keeper struct {
	o      *Options
	places chan struct{}
	flying sync.WaitGroup // chains of requests that are under way

	mu      sync.Mutex
	current *session // nil: none
}

// run sends what the line hands out.
func (k *keeper) run(ctx context.Context, line <-chan Request) {
	for q := range line {
		k.places <- struct{}{}
		k.flying.Go(func() {
			defer func() { <-k.places }()
			k.do(ctx, q)
		})
	}
	k.flying.Wait()
	if s := k.session(ctx); s != nil {
		s.close()
	}
}

// do asks as the request says.
func (k *keeper) do(ctx context.Context, q Request) {
	if q.Key == "" {
		k.single(ctx, q)
		return
	}
	for range q.Tries {
		var other sync.WaitGroup
		if q.Twin {
			other.Go(func() { k.single(ctx, q) })
		}
		r, ok := k.single(ctx, q)
		other.Wait()
		if !ok {
			return
		}
		if r.Outcome == "answered" || r.Outcome == "responder_error" {
			break
		}
	}
	if q.Repeat {
		k.single(ctx, q)
	}
	if q.Clash != 0 {
		k.single(ctx, q.other())
	}
}

// single asks once and waits for the reply; false: there was no session.
func (k *keeper) single(ctx context.Context, q Request) (history.Replied, bool) {
	s := k.session(ctx)
	if s == nil {
		return history.Replied{}, false
	}
	f, err := s.send(q)
	if err != nil {
		return history.Replied{}, false // nothing was sent, and nothing recorded
	}
	if q.Leave > 0 {
		s.leave(ctx, f)
	}
	timer := time.NewTimer(q.Node.Longest() + k.o.Patience)
	defer timer.Stop()
	select {
	case <-f.ended:
	case <-timer.C:
		s.end(f, history.Replied{Way: history.Silent})
		<-f.ended
	}
	return f.reply, true
}

// session is the session there is, or a new one; nil: ctx has ended.
func (k *keeper) session(ctx context.Context) *session {
	k.mu.Lock()
	defer k.mu.Unlock()
	for k.current == nil || k.current.gone() {
		s, err := login(ctx, k.o)
		if err == nil {
			k.current = s
			break
		}
		if !pause(ctx, between) {
			return nil
		}
	}
	return k.current
}

// loginTime is how long connecting and logging in may take.
const loginTime = 5 * time.Second

// login makes a connection with a session.
func login(ctx context.Context, o *Options) (*session, error) {
	s := &session{o: o, flights: make(map[uint32]*flight)}
	limited, cancel := context.WithTimeout(ctx, loginTime)
	defer cancel()
	client, err := rawclient.Dial(limited, rawclient.Options{Endpoint: o.Endpoint, Deliver: s.deliver, NoWait: true, Timeout: loginTime})
	if err != nil {
		return nil, err
	}
	s.client = client
	if _, err := client.Login(limited, rawclient.Identity{}, time.Minute); err != nil {
		client.Abort()
		return nil, err
	}
	go s.watch()
	return s, nil
}

// nodeID is that of a node below the root, whose browse name is Press.
func nodeID(name string) *ua.NodeID { return ua.NewStringNodeID(1, name) }

// root is the browse name of the root.
const root = "Press"

// message is the request as it goes over the wire.
func (q *Request) message() ua.Request {
	header := &ua.RequestHeader{
		TimeoutHint: uint32(q.Limit.Milliseconds()), ReturnDiagnostics: ua.OperationLevelAdditionalInfo,
	}
	marker := ua.MustVariant(history.Text(q.Marker))
	if q.Node.Kind == Write {
		return &ua.WriteRequest{RequestHeader: header, NodesToWrite: []*ua.WriteValue{{
			NodeID: nodeID(root + "." + q.Node.Place), AttributeID: ua.AttributeIDValue,
			Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: marker},
		}}}
	}
	inputs := []*ua.Variant{marker}
	if q.Node.Window > 0 {
		inputs = append(inputs, ua.MustVariant(q.Key))
	}
	return &ua.CallRequest{RequestHeader: header, MethodsToCall: []*ua.CallMethodRequest{{
		ObjectID: nodeID(root), MethodID: nodeID(root + "." + q.Node.Place), InputArguments: inputs,
	}}}
}

// opcuaLimit is what the gateway makes of the requester's limit.
func (q *Request) opcuaLimit() time.Duration {
	if q.Limit == 0 {
		return 0
	}
	return q.Limit - max(20*time.Millisecond, q.Limit/20)
}
