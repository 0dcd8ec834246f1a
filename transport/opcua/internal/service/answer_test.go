package service

import (
	"errors"
	"testing"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

var (
	text   = value.Type{Builtin: ua.TypeIDString}
	number = value.Type{Builtin: ua.TypeIDInt32}
	list   = value.Type{Builtin: ua.TypeIDInt32, Array: true}
)

func method(outputs ...Argument) *Node {
	return &Node{Space: &space.Node{Class: ua.NodeClassMethod}, Outputs: outputs}
}

func TestOutputs(t *testing.T) {
	one := method(Argument{Name: "ok", Type: number})
	array := method(Argument{Name: "ok", Type: list})
	two := method(Argument{Name: "ok", Type: number}, Argument{Name: "why", Type: text})
	for _, c := range []struct {
		node  *Node
		value string
		want  []any // nil: refused
	}{
		{method(), `{"whatever":1}`, []any{}},
		{method(), `null`, []any{}},
		{one, `7`, []any{int32(7)}},
		{one, `[7]`, []any{int32(7)}},
		{one, `{"ok":7}`, []any{int32(7)}},
		{one, `{"ok":7,"more":8}`, []any{int32(7)}},
		{one, `{"Ok":7}`, nil},
		{one, `"7"`, nil},
		{one, `[7,8]`, nil},
		{one, `[]`, nil},
		{one, `null`, nil},
		{array, `[7,8]`, []any{[]int32{7, 8}}},
		{array, `[[7,8]]`, []any{[]int32{7, 8}}},
		{array, `{"ok":[7]}`, []any{[]int32{7}}},
		{array, `7`, nil},
		{two, `{"why":"x","ok":7}`, []any{int32(7), "x"}},
		{two, `[7,"x"]`, []any{int32(7), "x"}},
		{two, `["x",7]`, nil},
		{two, `{"ok":7}`, nil},
		{two, `[7]`, nil},
		{two, `7`, nil},
		{two, `null`, nil},
		{two, `{"ok":7.5,"why":"x"}`, nil},
	} {
		reply := core.Reply{Value: []byte(c.value)}
		err := c.node.Inspect(&reply)
		if c.want == nil {
			require.ErrorIs(t, err, core.ErrBadResponse, c.value)
			continue
		}
		require.NoError(t, err, c.value)
		got := []any{}
		for _, v := range reply.Extra.([]*ua.Variant) {
			got = append(got, v.Value())
		}
		require.Equal(t, c.want, got, c.value)
	}
}

func TestValuesOfVariables(t *testing.T) {
	for _, c := range []struct {
		read  bool
		value string
		want  any
		fails bool
	}{
		{false, `7`, int32(7), false},
		{false, `null`, nil, false}, // the variable holds what was written
		{false, `"seven"`, nil, false},
		{true, `7`, int32(7), false},
		{true, `null`, nil, true},
		{true, `"seven"`, nil, true},
	} {
		response := uint16(id.WriteResponse_Encoding_DefaultBinary)
		if c.read {
			response = id.ReadResponse_Encoding_DefaultBinary
		}
		reply := core.Reply{Value: []byte(c.value), Completer: &operation{held: &held{response: response}}}
		n := &Node{Space: &space.Node{Class: ua.NodeClassVariable}, Type: number, ReadHeld: true}
		err := n.Inspect(&reply)
		require.Equal(t, c.fails, errors.Is(err, core.ErrBadResponse), c.value)
		if c.want == nil {
			require.Nil(t, reply.Extra)
		} else {
			require.Equal(t, c.want, reply.Extra.(*ua.Variant).Value())
		}
	}
}

func TestErrorsOfResponders(t *testing.T) {
	n := method()
	for _, c := range []struct {
		code    int64
		name    string
		status  ua.StatusCode
		refused bool
	}{
		{0x80310000, "", ua.StatusBadNoCommunication, false},
		{-2144272384, "", ua.StatusBadNoCommunication, false},
		{0, "BadOutOfRange", ua.StatusBadOutOfRange, false},
		{0, "StatusBadOutOfRange", ua.StatusBadOutOfRange, false},
		{500, "", ua.StatusBadUnexpectedError, false},
		{0, "", ua.StatusBadUnexpectedError, false},
		{0, "Good", ua.StatusBadUnexpectedError, false},
		{0, "UncertainInitialValue", ua.StatusBadUnexpectedError, false},
		{0, "BadOutOfRage", 0, true},
	} {
		err := n.Inspect(&core.Reply{Error: &core.ReplyError{Code: c.code, CodeName: c.name}})
		require.Equal(t, c.refused, errors.Is(err, core.ErrBadResponse), c.name)
		if !c.refused {
			require.Equal(t, c.status, n.statusOf(&core.Result{Outcome: core.ResponderError, Code: c.code, CodeName: c.name}))
		}
	}
}

// Every outcome there is has a status of its own.
func TestOutcomes(t *testing.T) {
	n := method()
	n.TimeoutStatus = ua.StatusBadRequestTimeout
	want := map[core.Outcome]ua.StatusCode{
		core.Answered:       ua.StatusOK,
		core.ResponderError: ua.StatusBadUnexpectedError,
		core.Timeout:        ua.StatusBadRequestTimeout,
		core.NotPublished:   ua.StatusBadNotConnected,
		core.NoSubscriber:   ua.StatusBadNoCommunication,
		core.Shed:           ua.StatusBadResourceUnavailable,
		core.BadResponse:    ua.StatusBadUnknownResponse,
		core.RuleFailed:     ua.StatusBadInternalError,
		core.Cancelled:      ua.StatusBadRequestCancelledByClient,
		core.Shutdown:       ua.StatusBadShutdown,
	}
	for _, o := range core.Outcomes() {
		status, known := want[o]
		require.True(t, known, o)
		require.Equal(t, status, n.statusOf(&core.Result{Outcome: o}), o)
	}
	require.Equal(t, ua.StatusBadInternalError, n.statusOf(&core.Result{}))
	require.Equal(t, ua.StatusBadEntryExists, n.statusOf(&core.Result{Repeat: core.Conflict}))
}

func TestReceiveErrors(t *testing.T) {
	for err, want := range map[error]ua.StatusCode{
		core.ErrClosed:         ua.StatusBadShutdown,
		errors.New("anything"): ua.StatusBadNotConnected,
		core.ErrRuleFailed:     ua.StatusBadInternalError,
	} {
		ended := received(err)
		require.Equal(t, want, (&Node{}).statusOf(&ended))
		require.Equal(t, err.Error(), ended.Message)
	}
}

// Of concurrent operations the one that began last wins, whichever is answered last.
func TestLatestBegunWins(t *testing.T) {
	s := space.New(space.Info{ApplicationURI: "urn:test"})
	at := &space.Node{
		ID: ua.NewStringNodeID(1, "v"), Class: ua.NodeClassVariable, BrowseName: &ua.QualifiedName{NamespaceIndex: 1, Name: "v"},
		DataType: number.NodeID(), ValueRank: -1,
	}
	require.NoError(t, s.Add(ua.NewNumericNodeID(0, 85), at))
	n := &Node{Space: at, Type: number}
	first, second, third := n.begun.Add(1), n.begun.Add(1), n.begun.Add(1)
	n.apply(second, ua.MustVariant(int32(2)))
	n.apply(first, ua.MustVariant(int32(1)))
	require.Equal(t, int32(2), at.Load().Value.Value())
	n.Set(ua.MustVariant(int32(0)))
	n.apply(third, ua.MustVariant(int32(3)))
	require.Equal(t, int32(3), at.Load().Value.Value())
}
