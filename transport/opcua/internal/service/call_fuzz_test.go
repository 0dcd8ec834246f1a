package service

import (
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// FuzzCall: of what the guard lets through, every Call that is read by hand is judged, and made a
// request of, as the one that the codec decodes.
func FuzzCall(f *testing.F) {
	machine, start, objects := ua.NewStringNodeID(1, "machine"), ua.NewStringNodeID(1, "start"), ua.NewTwoByteNodeID(id.ObjectsFolder)
	stop := ua.NewByteStringNodeID(1, []byte("stop"))
	calls := [][]*ua.CallMethodRequest{
		{{ObjectID: machine, MethodID: start, InputArguments: []*ua.Variant{ua.MustVariant("x"), ua.MustVariant([]int32{1, 2})}}},
		{{ObjectID: machine, MethodID: start, InputArguments: []*ua.Variant{ua.MustVariant(""), ua.MustVariant([]int32{})}}, {ObjectID: machine, MethodID: stop}},
		{{ObjectID: machine, MethodID: stop, InputArguments: []*ua.Variant{ua.MustVariant(1.5)}}, {ObjectID: objects, MethodID: start}, {ObjectID: stop, MethodID: machine}},
		{{ObjectID: machine, MethodID: start, InputArguments: []*ua.Variant{ua.MustVariant(int32(1)), ua.MustVariant("y")}}},
		{{ObjectID: ua.NewNumericNodeID(7, 70_000), MethodID: ua.NewGUIDNodeID(1, "72962B91-FA75-4AE6-8D28-B404DC7DAF63"), InputArguments: []*ua.Variant{ua.MustVariant(ua.NewStringNodeID(1, "n"))}}},
	}
	for _, list := range calls {
		b := ua.NewBuffer(nil)
		for _, call := range list {
			b.WriteStruct(call)
		}
		require.NoError(f, b.Error())
		f.Add(byte(len(list)), b.Bytes())
	}
	s := space.New(space.Info{ApplicationURI: "urn:test"})
	add := func(parent, own *ua.NodeID, class ua.NodeClass, data *Node) {
		n := &space.Node{ID: own, Class: class, BrowseName: &ua.QualifiedName{NamespaceIndex: 1, Name: own.String()}}
		if data != nil {
			data.Space, n.Data = n, data
		}
		require.NoError(f, s.Add(parent, n))
	}
	add(objects, machine, ua.NodeClassObject, nil)
	add(machine, start, ua.NodeClassMethod, &Node{
		Transaction: new(core.Node), Inputs: []Argument{{Name: "order", Type: text, Key: `"order":`}, {Name: "lots", Type: list, Key: `"lots":`}},
	})
	add(machine, stop, ua.NodeClassMethod, &Node{Transaction: new(core.Node)})
	g := guard.New(guard.Limits{})
	f.Fuzz(func(t *testing.T, count byte, items []byte) {
		body := callOf(t, count, items)
		if g.Request(body) != nil {
			return
		}
		_, structure, rest := parseHeader(body)
		var want ua.CallRequest
		_, err := ua.Decode(structure, &want)
		require.NoError(t, err)
		read := reader{rest: rest}
		require.Equal(t, len(want.MethodsToCall), read.count())

		r := &request{service: &Service{options: Options{Space: s}}}
		h := r.newHeld(len(want.MethodsToCall))
		for i := range h.results {
			require.NoError(t, r.callItem(&read, h, i))
		}
		require.Empty(t, read.rest)
		var texts []string
		for i, call := range want.MethodsToCall {
			status, text, ok := judgedModel(t, s, call)
			require.Equal(t, status, h.results[i].status, "call %d", i)
			if ok {
				texts = append(texts, text)
			}
		}
		require.Len(t, h.operations, len(texts))
		for i, text := range texts {
			require.Equal(t, text, string(h.operations[i].text))
		}
	})
}

// callOf is the body of a Call of so many methods, which are encoded as items.
func callOf(t testing.TB, count byte, items []byte) []byte {
	b := ua.NewBuffer(nil)
	b.WriteStruct(ua.NewFourByteExpandedNodeID(0, id.CallRequest_Encoding_DefaultBinary))
	b.WriteStruct(&ua.RequestHeader{AuthenticationToken: ua.NewByteStringNodeID(0, make([]byte, 32)), AdditionalHeader: ua.NewExtensionObject(nil)})
	b.WriteInt32(int32(count))
	b.Write(items)
	require.NoError(t, b.Error())
	return b.Bytes()
}

// judgedModel says what becomes of a call (OPC 10000-4, 5.12.2), and the text of its request.
func judgedModel(t *testing.T, s *space.Space, call *ua.CallMethodRequest) (status ua.StatusCode, text string, ok bool) {
	object, method := s.Find(call.ObjectID), s.Find(call.MethodID)
	if status := s.CanCall(object, method); status != ua.StatusOK {
		return status, "", false
	}
	n, ours := method.Data.(*Node)
	if !ours {
		return ua.StatusBadNotExecutable, "", false
	}
	switch given := len(call.InputArguments); {
	case given < len(n.Inputs):
		return ua.StatusBadArgumentsMissing, "", false
	case given > len(n.Inputs):
		return ua.StatusBadTooManyArguments, "", false
	}
	text = "{"
	for i, v := range call.InputArguments {
		v = n.Inputs[i].Type.Adapt(v)
		if !n.Inputs[i].Type.Accepts(v) {
			return ua.StatusBadInvalidArgument, "", false
		}
		out, err := value.AppendJSON(nil, v)
		if err != nil {
			return ua.StatusBadInvalidArgument, "", false
		}
		text += map[bool]string{true: ","}[i > 0] + n.Inputs[i].Key + string(out)
	}
	return ua.StatusOK, text + "}", true
}
