//go:build peers

package peers

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is wrong with arguments is said before anything is published (OPC 10000-4, 5.12.2).
func TestArgumentErrors(t *testing.T) {
	p := newPlant(t)
	c := p.connect(dial{})
	order, amount := text("A 17"), int32s(3)
	unknown := func(object, method string) map[string]any {
		return map[string]any{"objectId": object, "methodId": method, "inputArguments": []any{}}
	}
	for _, wrong := range []struct {
		name   string
		call   map[string]any
		status string
		inputs []string // results of single arguments; "": anything but Bad
	}{
		{"missing", methodCall("line.mayStart", order), "BadArgumentsMissing", nil},
		{"none", methodCall("line.mayStart"), "BadArgumentsMissing", nil},
		{"too many", methodCall("line.mayStart", order, amount, amount), "BadTooManyArguments", nil},
		{"wrong type", methodCall("line.mayStart", order, double(3)), "BadInvalidArgument", []string{"Good", "BadTypeMismatch"}},
		{"both wrong", methodCall("line.mayStart", amount, order), "BadInvalidArgument", []string{"BadTypeMismatch", "BadTypeMismatch"}},
		{"array for scalar", methodCall("line.slow", variant{"Int32", []int{1, 2}}), "BadInvalidArgument", []string{"BadTypeMismatch"}},
		{"null for scalar", methodCall("line.slow", variant{"Null", nil}), "BadInvalidArgument", []string{"BadTypeMismatch"}},
		{"unknown method", unknown(node("line"), "ns=1;s=nowhere"), "BadMethodInvalid", nil},
		{"unknown object", unknown("ns=1;s=nowhere", node("line.own")), "BadNodeIdUnknown", nil},
		{"another object's method", unknown(node(""), node("line.own")), "BadMethodInvalid", nil},
		{"a variable", unknown(node(""), node("speed")), "BadMethodInvalid", nil},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			got := c.in(t).send(calls(wrong.call)).called()
			require.Len(t, got, 1)
			require.Equal(t, wrong.status, got[0].StatusCode)
			if wrong.inputs != nil {
				require.Equal(t, wrong.inputs, got[0].InputArgumentResults)
			} else {
				require.Empty(t, got[0].InputArgumentResults, "only BadInvalidArgument has results (OPC 10000-4, table 65)")
			}
		})
	}
	require.Zero(t, p.begun(), "something was published")
}

func TestRefusedWrites(t *testing.T) {
	p := newPlant(t)
	c := p.connect(dial{})
	with := func(item map[string]any, name string, value any) map[string]any {
		item[name] = value
		return item
	}
	for _, wrong := range []struct {
		name   string
		item   map[string]any
		status string
	}{
		{"wrong type", writeValue("speed", text("fast")), "BadTypeMismatch"},
		{"an integer for a Double", writeValue("speed", int32s(1)), "BadTypeMismatch"},
		{"an array for a scalar", writeValue("speed", variant{"Double", []float64{1}}), "BadTypeMismatch"},
		{"a scalar for an array", writeValue("levels", double(1)), "BadTypeMismatch"},
		{"null", writeValue("speed", variant{"Null", nil}), "BadTypeMismatch"},
		{"unknown node", writeValue("nowhere", double(1)), "BadNodeIdUnknown"},
		{"unknown namespace", with(writeValue("speed", double(1)), "nodeId", "ns=99;s=speed"), "BadNodeIdUnknown"},
		{"read-only", writeValue("counter", int32s(1)), "BadNotWritable"},
		{"the server's own", with(writeValue("speed", int32s(1)), "nodeId", "i=2259"), "BadNotWritable"},
		{"an object's value", writeValue("line", double(1)), "BadAttributeIdInvalid"},
		{"no such attribute", with(writeValue("speed", double(1)), "attributeId", 99), "BadAttributeIdInvalid"},
		{"a display name", with(writeValue("speed", variant{"LocalizedText", "mine"}), "attributeId", attributeDisplayName), "BadNotWritable"},
		{"index range is no range", with(writeValue("levels", variant{"Double", []float64{1}}), "indexRange", "2:1"), "BadIndexRangeInvalid"},
		{"index range of a scalar", with(writeValue("speed", double(1)), "indexRange", "0:1"), "BadIndexRangeNoData"},
		{"index range beyond the end", with(writeValue("levels", variant{"Double", []float64{1, 2}}), "indexRange", "7:8"), "BadIndexRangeNoData"},
		{"index range and another length", with(writeValue("levels", variant{"Double", []float64{1}}), "indexRange", "0:1"), "BadIndexRangeDataMismatch"},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			require.Equal(t, []string{wrong.status}, c.in(t).send(writes(wrong.item)).written())
		})
	}
	require.Zero(t, p.begun(), "something was published")
	require.Equal(t, "Good", c.read("speed").StatusCode)
	require.EqualValues(t, 1.5, c.read("speed").Value.Value)
}

// Whoever has no session, or uses somebody else's, gets nothing done.
func TestWithoutSession(t *testing.T) {
	p := newPlant(t)
	owner := p.connect(dial{})
	other := p.connect(dial{})
	outside := p.connect(dial{ChannelOnly: true})
	requests := map[string]map[string]any{
		"Write": writes(writeValue("speed", double(1))).Fields,
		"Call":  calls(methodCall("line.own")).Fields,
		"Read":  {"nodesToRead": []any{attribute(node("speed"), attributeValue)}},
		"Browse": {"nodesToBrowse": []any{map[string]any{
			"nodeId": "i=85", "browseDirection": 0, "referenceTypeId": "i=33", "includeSubtypes": true, "resultMask": 63,
		}}},
		"CreateSubscription": {"requestedPublishingInterval": 100, "requestedLifetimeCount": 100, "requestedMaxKeepAliveCount": 10},
		"Publish":            {"subscriptionAcknowledgements": []any{}},
	}
	for service, fields := range requests {
		for _, by := range []*client{outside, other} {
			require.Equal(t, "BadSessionIdInvalid", by.status(request{Service: service, Fields: fields, Token: "none"}), service)
		}
		// OPC 10000-4, 5.6.2: a token is good on the channel that its session was activated on.
		for _, by := range []*client{outside, other} {
			require.Equal(t, "BadSecureChannelIdInvalid", by.status(request{Service: service, Fields: fields, Token: owner.name}), service)
		}
	}
	require.Zero(t, p.begun(), "something was published")
	require.Equal(t, "Good", owner.read("speed").StatusCode, "the owner is unharmed")
	require.Equal(t, "Good", other.read("speed").StatusCode)
}

// What a server need not have is refused without harm.
func TestServicesThatAreNotThere(t *testing.T) {
	c := newPlant(t).connect(dial{})
	for service, fields := range map[string]map[string]any{
		"AddNodes":      {"nodesToAdd": []any{}},
		"DeleteNodes":   {"nodesToDelete": []any{}},
		"HistoryUpdate": {"historyUpdateDetails": []any{}},
		"QueryFirst":    {"nodeTypes": []any{}},
		"SetTriggering": {"subscriptionId": 1, "triggeringItemId": 1},
	} {
		require.Equal(t, "BadServiceUnsupported", c.status(request{Service: service, Fields: fields}), service)
	}
	require.Equal(t, "Good", c.read("speed").StatusCode)
}
