//go:build peers

package peers

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mem"
	"github.com/flowsync-go/flowsync/transport/opcua"
)

// A write is held until it is answered; until then the variable keeps what it had.
func TestHeldWrite(t *testing.T) {
	p := newPlant(t)
	requests := p.hold("speed")
	c := p.connect(dial{})
	for _, step := range []struct {
		written        float64
		answer, status string
		then           float64
	}{
		{2.5, "null", "Good", 2.5},
		{3.5, "3.25", "Good", 3.25},  // the responder knows better
		{4.5, `"fast"`, "Good", 4.5}, // that is no speed, but it says that it was done
		{5.5, "", "BadOutOfRange", 4.5},
	} {
		before := c.read("speed")
		s := c.send(writes(writeValue("speed", double(step.written))))
		r := receive(t, requests)
		require.JSONEq(t, fmt.Sprint(step.written), string(r.Value))
		require.Equal(t, before.Value, c.read("speed").Value, "not yet answered")
		if step.answer == "" {
			r.Fail(0x803C0000, "too fast")
		} else {
			r.Answer([]byte(step.answer))
		}
		require.Equal(t, []string{step.status}, s.written())
		require.EqualValues(t, step.then, c.read("speed").Value.Value)
	}
}

// samples has a value of each type, as a client writes it.
var samples = map[string][]any{
	"Boolean": {true, false}, "SByte": {-128, 127}, "Byte": {0, 255}, "Int16": {-32768, 32767}, "UInt16": {0, 65535},
	"Int32": {-2147483648, 2147483647}, "UInt32": {0, 4294967295},
	"Int64": {"-9223372036854775808", "9007199254740993"}, "UInt64": {"18446744073709551615", "0"},
	"Float": {1.5, "NaN", "Infinity"}, "Double": {-1e300, "-Infinity", 0.1},
	"String":   {"Fürth \u2028 \"quoted\" \U0001F600", ""},
	"DateTime": {"2026-02-28T23:59:59.123Z", "1999-12-31T00:00:00.000Z"},
	"Guid":     {"72962B91-FA75-4AE6-8D28-B404DC7DAF63"}, "ByteString": {"AAEC/f7/", "/w=="},
	"LocalizedText": {"grün"}, "QualifiedName": {"speed"},
}

// ofEveryType are inputs for the method "everything".
func ofEveryType() (inputs []variant) {
	for _, typ := range dataTypes {
		inputs = append(inputs, variant{typ, samples[typ][0]})
		if inArrays(typ) {
			inputs = append(inputs, variant{typ, samples[typ]})
		}
	}
	return inputs
}

// Arguments of every type, scalars and arrays, reach the responder and come back as they were.
func TestHeldCallOfEveryType(t *testing.T) {
	p := newPlant(t)
	requests := p.hold("line.everything")
	c := p.connect(dial{})
	inputs := ofEveryType()
	s := c.startCall("line.everything", inputs...)
	r := receive(t, requests)
	r.Answer(r.Value)
	results := s.called()
	require.Len(t, results, 1)
	require.Equal(t, "Good", results[0].StatusCode)
	require.Len(t, results[0].OutputArguments, len(inputs))
	for i, got := range results[0].OutputArguments {
		sameJSON(t, empty(inputs[i]), empty(got))
	}
}

// empty makes null strings and empty ones the same: the wire can tell them apart, clients often not.
func empty(v variant) variant {
	list, ok := v.Value.([]any)
	if !ok {
		return v
	}
	list = append([]any(nil), list...)
	for i := range list {
		if list[i] == nil {
			list[i] = ""
		}
	}
	return variant{v.Type, list}
}

// Many calls on one session are held, and each gets the answer to its own input, though they
// are answered in another order. Meanwhile reads are answered at once.
func TestManyHeldCalls(t *testing.T) {
	for _, many := range []struct {
		n        int
		security opcua.Security
	}{{200, none}, {2000, none}, {200, secured[1]}} {
		n := many.n
		t.Run(fmt.Sprint(n, " ", many.security.Policy), func(t *testing.T) {
			p := newPlant(t, offering(many.security))
			p.trust(trustedPKI())
			requests := p.hold("line.patient")
			c := p.connect(dial{Policy: many.security.Policy, Mode: many.security.Mode, Hint: time.Minute})
			all := make([]*sent, n)
			for i := range all {
				all[i] = c.startCall("line.patient", int32s(i))
			}
			held := make([]*mem.Request, n)
			for i := range held {
				held[i] = receive(t, requests)
			}
			require.Equal(t, n, p.engine.Held())
			c.readsAreQuick()
			require.Equal(t, n, p.engine.Held())
			for _, r := range reordered(held) {
				require.NoError(t, r.Answer(r.Value))
			}
			for i, s := range all {
				results := s.called()
				require.Equal(t, "Good", results[0].StatusCode)
				sameJSON(t, []variant{int32s(i)}, results[0].OutputArguments)
			}
		})
	}
}

// readsAreQuick times reads. node-opcua itself takes a millisecond or two for one, and the
// machine may be busy: most must be quick.
func (c *client) readsAreQuick() {
	c.t.Helper()
	const n, most, limit = 50, 40, 50 * time.Millisecond
	quick := 0
	for range n {
		began := time.Now()
		require.Equal(c.t, "Good", c.read("fixed").StatusCode)
		if time.Since(began) < limit {
			quick++
		}
	}
	require.GreaterOrEqual(c.t, quick, most, "of %d reads", n)
}

// reordered is from the last to the first.
func reordered(in []*mem.Request) []*mem.Request {
	out := make([]*mem.Request, len(in))
	for i, r := range in {
		out[len(in)-1-i] = r
	}
	return out
}

// What a responder says is wrong is what the client sees, if it is a Bad status.
func TestResponderCodes(t *testing.T) {
	p := newPlant(t)
	requests := p.hold("line.slow")
	c := p.connect(dial{})
	for _, answer := range []struct{ code, want string }{
		{"2151415808", "BadOutOfRange"},  // 0x803C0000
		{"-2143551488", "BadOutOfRange"}, // the same in 32 bits
		{`"BadOutOfRange"`, "BadOutOfRange"},
		{`"BadDeviceFailure"`, "BadDeviceFailure"},
		{`"BadNoSuchStatus"`, "BadUnknownResponse"},
		{"0", "BadUnexpectedError"},
		{"500", "BadUnexpectedError"},
		{"1083179008", "BadUnexpectedError"}, // 0x40900000, Uncertain
	} {
		s := c.startCall("line.slow", int32s(1))
		r := receive(t, requests)
		r.Send([]byte(`{"id":"` + r.ID.String() + `","error":{"code":` + answer.code + `,"message":"no"}}`))
		require.Equal(t, answer.want, s.called()[0].StatusCode, "code %s", answer.code)
	}
}

// An answer that does not fit the outputs is no answer.
func TestAnswersThatDoNotFit(t *testing.T) {
	p := newPlant(t)
	requests := p.hold("line.mayStart")
	c := p.connect(dial{})
	for _, answer := range []struct{ value, want string }{
		{`{"go":true,"text":"yes"}`, "Good"},
		{`[true,"yes"]`, "Good"},
		{`{"go":true}`, "BadUnknownResponse"},
		{`{"go":1,"text":"yes"}`, "BadUnknownResponse"},
		{`[true]`, "BadUnknownResponse"},
		{`true`, "BadUnknownResponse"},
	} {
		s := c.startCall("line.mayStart", text("A 17"), int32s(3))
		receive(t, requests).Answer([]byte(answer.value))
		require.Equal(t, answer.want, s.called()[0].StatusCode, answer.value)
	}
}

// operationLevelAdditionalInfo asks for a text with each operation that failed (OPC 10000-4, 7.33).
const operationLevelAdditionalInfo = 0x80

// What else a client may ask for: the outcome as a symbolic id, and a text for people.
const (
	operationLevelSymbolicID    = 0x20
	operationLevelLocalizedText = 0x40
)

func TestDiagnostics(t *testing.T) {
	p := newPlant(t)
	p.respond("line.mayStart", func(r *mem.Request) { r.Fail(0x803C0000, "no material") })
	c := p.connect(dial{})
	for _, asked := range []int{0, operationLevelAdditionalInfo, operationLevelSymbolicID | operationLevelLocalizedText | operationLevelAdditionalInfo} {
		r := calls(methodCall("line.mayStart", text("A 17"), int32s(3)))
		r.Diagnostics = asked
		var got struct {
			ResponseHeader  header
			DiagnosticInfos []struct {
				SymbolicID, NamespaceURI, Locale, LocalizedText int
				AdditionalInfo                                  string
			}
		}
		c.send(r).response(&got)
		require.Equal(t, "Good", got.ResponseHeader.ServiceResult)
		if asked == 0 {
			require.Empty(t, got.DiagnosticInfos)
			continue
		}
		require.Len(t, got.DiagnosticInfos, 1)
		info, table := got.DiagnosticInfos[0], got.ResponseHeader.StringTable
		require.Contains(t, info.AdditionalInfo, "responder_error (id ")
		require.Contains(t, info.AdditionalInfo, "retrySafe false")
		require.Contains(t, info.AdditionalInfo, "no material")
		if asked == operationLevelAdditionalInfo {
			require.Empty(t, table)
			continue
		}
		require.Equal(t, "responder_error", table[info.SymbolicID])
		require.Equal(t, "https://github.com/flowsync-go/flowsync", table[info.NamespaceURI])
		require.Equal(t, "no material", table[info.LocalizedText])
		require.Equal(t, "en", table[info.Locale])
	}
}

// A fallback comes as a value that is not sure, and a client that asks learns of what.
func TestFallback(t *testing.T) {
	root := tree()
	for _, method := range root.Children[0].Children {
		if method.BrowseName == "slow" {
			method.Transaction.Fallback = []byte(`{"n":-1}`)
		}
	}
	p := newPlantWith(t, root)
	p.hold("line.slow")
	c := p.connect(dial{})
	r := calls(methodCall("line.slow", int32s(1)))
	r.Diagnostics = operationLevelSymbolicID
	var got struct {
		ResponseHeader  header
		Results         []callResult
		DiagnosticInfos []struct{ SymbolicID int }
	}
	c.send(r).response(&got)
	require.Equal(t, "UncertainSubstituteValue", got.Results[0].StatusCode)
	require.Len(t, got.Results[0].OutputArguments, 1)
	require.Equal(t, "timeout", got.ResponseHeader.StringTable[got.DiagnosticInfos[0].SymbolicID])
}
