//go:build peers

package peers

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// variant is a value in the form of values.js.
type variant struct {
	Type  string `json:"@"`
	Value any    `json:"value"`
}

type dataValue struct {
	Value           variant
	StatusCode      string
	SourceTimestamp string
}

type header struct {
	ServiceResult string
	StringTable   []string
}

type callResult struct {
	StatusCode           string
	InputArgumentResults []string
	OutputArguments      []variant
}

// rawResponse is a response before it is known what it is.
type rawResponse json.RawMessage

func (r *rawResponse) UnmarshalJSON(text []byte) error {
	*r = append((*r)[:0], text...)
	return nil
}

func (r rawResponse) into(t testing.TB, out any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(r, out), "%s", []byte(r))
}

func (r rawResponse) header(t testing.TB) header {
	t.Helper()
	var h struct{ ResponseHeader header }
	r.into(t, &h)
	return h.ResponseHeader
}

func (r rawResponse) good(t testing.TB, service string) {
	t.Helper()
	require.Equal(t, "Good", r.header(t).ServiceResult, "%s: %s", service, []byte(r))
}

// The attributes that have a name here (OPC 10000-6, A.1).
const (
	attributeNodeClass   = 2
	attributeBrowseName  = 3
	attributeDisplayName = 4
	attributeValue       = 13
)

// node is the node id of a path below the root of plants, whose ids are made of browse names.
func node(path string) string {
	if path == "" {
		return "ns=1;s=plant"
	}
	return "ns=1;s=plant." + path
}

func methodCall(path string, inputs ...variant) map[string]any {
	if inputs == nil {
		inputs = []variant{}
	}
	return map[string]any{"objectId": node(parent(path)), "methodId": node(path), "inputArguments": inputs}
}

func calls(methods ...map[string]any) request {
	return request{Service: "Call", Fields: map[string]any{"methodsToCall": methods}}
}

// startCall calls a method and does not wait.
func (c *client) startCall(path string, inputs ...variant) *sent {
	c.t.Helper()
	return c.send(calls(methodCall(path, inputs...)))
}

// called waits for the results of a Call.
func (s *sent) called() []callResult {
	s.c.t.Helper()
	var raw rawResponse
	s.response(&raw)
	raw.good(s.c.t, "Call")
	var got struct{ Results []callResult }
	raw.into(s.c.t, &got)
	return got.Results
}

func (c *client) call(path string, inputs ...variant) callResult {
	c.t.Helper()
	results := c.startCall(path, inputs...).called()
	require.Len(c.t, results, 1)
	return results[0]
}

func writeValue(path string, v variant) map[string]any {
	return map[string]any{"nodeId": node(path), "attributeId": attributeValue, "value": map[string]any{"value": v}}
}

func writes(items ...map[string]any) request {
	return request{Service: "Write", Fields: map[string]any{"nodesToWrite": items}}
}

// written waits for the results of a Write.
func (s *sent) written() []string {
	s.c.t.Helper()
	var raw rawResponse
	s.response(&raw)
	raw.good(s.c.t, "Write")
	var got struct{ Results []string }
	raw.into(s.c.t, &got)
	return got.Results
}

func (c *client) write(path string, v variant) string {
	c.t.Helper()
	results := c.send(writes(writeValue(path, v))).written()
	require.Len(c.t, results, 1)
	return results[0]
}

// readAttributes reads (node id, attribute) pairs.
func (c *client) readAttributes(items ...map[string]any) []dataValue {
	c.t.Helper()
	var got struct{ Results []dataValue }
	c.ask("Read", map[string]any{"nodesToRead": items, "timestampsToReturn": 2}, &got)
	require.Len(c.t, got.Results, len(items))
	return got.Results
}

func attribute(id string, attribute int) map[string]any {
	return map[string]any{"nodeId": id, "attributeId": attribute}
}

func (c *client) read(path string) dataValue {
	c.t.Helper()
	return c.readAttributes(attribute(node(path), attributeValue))[0]
}

func int32s(n int) variant     { return variant{"Int32", n} }
func double(x float64) variant { return variant{"Double", x} }
func text(s string) variant    { return variant{"String", s} }

// sameJSON compares values without regard to how JSON holds them in Go.
func sameJSON(t testing.TB, want, got any) {
	t.Helper()
	a, err := json.Marshal(want)
	require.NoError(t, err)
	b, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, string(a), string(b), fmt.Sprint(want))
}
