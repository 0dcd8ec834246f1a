package opcua_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
	"github.com/flowsync-go/flowsync/transport/transporttest"
)

// The conformance suite of servers, over the real engine: each node is a Method with one
// argument.
func TestConformance(t *testing.T) {
	transporttest.Server(t, func(t *testing.T, engine *core.Engine, nodes []*core.Node) transporttest.ServerRig {
		text := typeOf(t, "String")
		root := &opcua.Node{Class: opcua.Object, BrowseName: "Suite"}
		for _, n := range nodes {
			root.Children = append(root.Children, &opcua.Node{
				Class: opcua.Method, BrowseName: n.Name(), Transaction: &opcua.Transaction{Node: n},
				Inputs:  []opcua.Argument{{Name: "v", DataType: text}},
				Outputs: []opcua.Argument{{Name: "v", DataType: text}},
			})
		}
		server, err := opcua.New(opcua.Options{
			Engine: engine, Root: root, Anonymous: true, Logger: quiet(), MaxSessions: 1000, MaxChannels: 1000,
			Security: []opcua.Security{{Policy: "None", Mode: "None"}},
		})
		require.NoError(t, err)
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s := &suiteRig{Server: server, address: "opc.tcp://" + ln.Addr().String()}
		s.serving.Go(func() {
			if err := server.Serve(ln); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}

type suiteRig struct {
	*opcua.Server
	address string
	serving sync.WaitGroup

	mu         sync.Mutex
	requesters []*rawclient.Client
}

func (s *suiteRig) Requester() (transporttest.Requester, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := rawclient.Dial(ctx, rawclient.Options{Endpoint: s.address})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.requesters = append(s.requesters, c)
	s.mu.Unlock()
	_, err = c.Login(ctx, rawclient.Identity{}, time.Minute)
	return &suiteRequester{c}, err
}

func (s *suiteRig) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.Server.Close()
	for _, c := range s.requesters {
		c.Close()
	}
	s.serving.Wait()
	return err
}

type suiteRequester struct{ *rawclient.Client }

func (q *suiteRequester) Close() error { q.Client.Close(); return nil }

func (q *suiteRequester) Request(ctx context.Context, node *core.Node, value []byte) (transporttest.Reply, error) {
	var text string
	if err := json.Unmarshal(value, &text); err != nil {
		return transporttest.Reply{}, err
	}
	request := call("Suite", "Suite."+node.Name(), text)
	request.SetHeader(&ua.RequestHeader{ReturnDiagnostics: ua.OperationLevelAdditionalInfo})
	response, err := q.Do(ctx, request)
	if err != nil {
		if ctx.Err() != nil {
			q.Client.Close()
			return transporttest.Reply{}, ctx.Err()
		}
		return transporttest.Reply{}, err
	}
	if fault, ok := response.(*ua.ServiceFault); ok {
		return transporttest.Reply{}, fault.ResponseHeader.ServiceResult
	}
	return suiteReply(text, response.(*ua.CallResponse))
}

func suiteReply(asked string, response *ua.CallResponse) (reply transporttest.Reply, err error) {
	result := response.Results[0]
	if result.StatusCode == ua.StatusOK {
		reply.Outcome = core.Answered
		reply.Value, err = json.Marshal(result.OutputArguments[0].Value())
		if string(reply.Value) == `""` && asked != "" { // the null String, which is the empty one here
			reply.Value = []byte("null")
		}
		return reply, err
	}
	info := response.DiagnosticInfos[0].AdditionalInfo
	for _, outcome := range core.Outcomes() {
		if strings.HasPrefix(info, outcome.String()+" ") {
			_, reply.Message, _ = strings.Cut(info, "): ")
			reply.Outcome = outcome
			return reply, nil
		}
	}
	return reply, fmt.Errorf("no outcome in %q, status %v", info, result.StatusCode)
}
