package e2e

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
	"github.com/gopcua/opcua/ua"
)

// told is what a requester was told, whichever door it came through.
type told struct {
	ok      bool   // an answer, or a fallback
	value   string // of it
	http    int    // status; 0 over OPC UA
	ua      ua.StatusCode
	outcome string // "" over OPC UA where there is none
	real    string // HTTP: the outcome that a fallback stands for
	inDoubt bool
	safe    bool // to repeat, if it is no answer
	header  func(string) string
	err     error // there was no response: the requester or the gateway had gone
}

// door asks the nodes of testdata/properties.yaml over one protocol.
type door struct {
	protocol string
	name     func(node string) string // of the resource
	// ask asks with an order and a key; an empty one is none.
	ask func(ctx context.Context, node, order, key string) told
}

// doors are both, each with connections of its own. They may be asked by many at once.
func (g *gateway) doors(t *testing.T) []door {
	c := client(64)
	t.Cleanup(c.CloseIdleConnections)
	machine := g.login(deadline(t), nil)
	plain := func(node string) string { return node }
	overHTTP := func(ctx context.Context, node, order, key string) told {
		headers := []string{"Idempotency-Key", key}
		if key == "" {
			headers = nil
		}
		r, err := tryContext(ctx, c, "POST", "http://"+g.http+"/data/"+node, `"`+order+`"`, headers...)
		if err != nil {
			return told{err: err}
		}
		return toldOverHTTP(r)
	}
	overOPCUA := func(ctx context.Context, node, order, key string) told {
		arguments := []any{order, key}
		if node != "once" && node != "doubt" {
			arguments = arguments[:1]
		}
		return toldOverOPCUA(ctx, machine, call("Press."+node, arguments...))
	}
	return []door{{"HTTP", plain, overHTTP}, {"OPC UA", methodNode, overOPCUA}}
}

func toldOverHTTP(r *reply) told {
	a := told{ok: r.status == 200, http: r.status, outcome: r.outcome(), real: r.header.Get("Flowsync-Outcome"), header: r.header.Get}
	if a.ok {
		a.value = strings.Trim(string(r.body), `"`)
		return a
	}
	var more struct{ InDoubt bool }
	_ = json.Unmarshal(r.body, &more) // it was read before
	a.inDoubt, a.safe = more.InDoubt, r.problem.RetrySafe
	return a
}

func toldOverOPCUA(ctx context.Context, c *rawclient.Client, request *ua.CallRequest) told {
	request.SetHeader(&ua.RequestHeader{ReturnDiagnostics: ua.OperationLevelAdditionalInfo})
	response, err := c.Do(ctx, request)
	if err != nil {
		return told{err: err}
	}
	called := response.(*ua.CallResponse)
	result := called.Results[0]
	a := told{ua: result.StatusCode, ok: len(result.OutputArguments) == 1}
	if a.ok {
		a.value, _ = result.OutputArguments[0].Value().(string)
	}
	if len(called.DiagnosticInfos) == 1 {
		about := called.DiagnosticInfos[0].AdditionalInfo
		a.outcome, _, _ = strings.Cut(about, " ")
		a.inDoubt = strings.Contains(about, "inDoubt true")
		a.safe = strings.Contains(about, "retrySafe true")
	}
	return a
}
