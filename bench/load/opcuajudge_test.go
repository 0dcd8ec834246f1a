package load

import (
	"errors"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// responseOf is a response to request 7, as a server writes it that is not flowsync.
func responseOf(t *testing.T, v ua.Response, status ua.StatusCode) rawclient.Response {
	t.Helper()
	v.SetHeader(&ua.ResponseHeader{
		Timestamp: time.Now(), RequestHandle: 7, ServiceResult: status,
		ServiceDiagnostics: &ua.DiagnosticInfo{}, StringTable: []string{"a", "table"}, AdditionalHeader: ua.NewExtensionObject(nil),
	})
	b, err := ua.Encode(v)
	require.NoError(t, err)
	number := ua.ServiceTypeID(v)
	return rawclient.Response{ID: 7, Body: append([]byte{1, 0, byte(number), byte(number >> 8)}, b...)}
}

// What responses mean, whoever sends them.
func TestOPCUAJudge(t *testing.T) {
	n := opcuaValue{name: "n", kind: ua.TypeIDInt32}
	call := &opcuaPlan{
		object: ua.NewTwoByteNodeID(1), node: ua.NewTwoByteNodeID(2), response: id.CallResponse_Encoding_DefaultBinary,
		inputs: []opcuaValue{n}, outputs: []opcuaOutput{{opcuaValue: n}, {opcuaValue: opcuaValue{name: "any"}}},
	}
	require.NoError(t, call.expect(ExpectEcho))
	write := &opcuaPlan{node: call.node, response: id.WriteResponse_Encoding_DefaultBinary, inputs: call.inputs}
	outputs := func(values ...any) *ua.CallResponse {
		r := &ua.CallMethodResult{}
		for _, v := range values {
			r.OutputArguments = append(r.OutputArguments, ua.MustVariant(v))
		}
		return &ua.CallResponse{Results: []*ua.CallMethodResult{r}}
	}
	failed := func(info string) *ua.CallResponse {
		return &ua.CallResponse{
			Results:         []*ua.CallMethodResult{{StatusCode: ua.StatusBadTimeout}},
			DiagnosticInfos: []*ua.DiagnosticInfo{{EncodingMask: ua.DiagnosticInfoAdditionalInfo, AdditionalInfo: info}},
		}
	}
	const seq = 1234
	for name, c := range map[string]struct {
		plan    *opcuaPlan
		r       rawclient.Response
		outcome string
		fault   string // empty: not wrong
	}{
		"answered":           {call, responseOf(t, outputs(int32(seq), "x"), 0), Answered, ""},
		"another's":          {call, responseOf(t, outputs(int32(seq+1), "x"), 0), Answered, `its output n is "1235", want "1234"`},
		"another type":       {call, responseOf(t, outputs(int64(seq), "x"), 0), Answered, "its output n"},
		"too few":            {call, responseOf(t, outputs(int32(seq)), 0), Answered, "1 outputs, want 2"},
		"two results":        {call, responseOf(t, &ua.CallResponse{Results: make2(outputs(int32(seq), "x").Results[0])}, 0), Answered, "several results"},
		"gateway's word":     {call, responseOf(t, failed("shed (id 1): full"), 0), "shed", ""},
		"somebody's words":   {call, responseOf(t, failed("answered by nobody"), 0), "BadTimeout", ""},
		"no words":           {call, responseOf(t, failed(""), 0), "BadTimeout", ""},
		"a status of theirs": {write, responseOf(t, &ua.WriteResponse{Results: []ua.StatusCode{0x8ABC0000}}, 0), "status 0x8ABC0000", ""},
		"written":            {write, responseOf(t, &ua.WriteResponse{Results: []ua.StatusCode{ua.StatusOK}}, 0), Answered, ""},
		"not written":        {write, responseOf(t, &ua.WriteResponse{Results: []ua.StatusCode{ua.StatusBadNotWritable}}, 0), "BadNotWritable", ""},
		"written, as a call": {write, responseOf(t, outputs(int32(seq), "x"), 0), Answered, "*ua.CallResponse"},
		"fault":              {call, responseOf(t, &ua.ServiceFault{}, ua.StatusBadTooManyOperations), "BadTooManyOperations", ""},
		"given up":           {call, rawclient.Response{ID: 7, Err: ua.StatusBadResponseTooLarge}, "BadResponseTooLarge", ""},
		"broken":             {call, rawclient.Response{ID: 7, Err: errors.New("torn")}, Answered, "torn"},
		"nothing":            {call, rawclient.Response{ID: 7}, Answered, "decoding"},
	} {
		t.Run(name, func(t *testing.T) {
			var scratch []byte
			v := c.plan.judge(c.r, seq, &scratch)
			assert.Equal(t, c.outcome, v.Outcome)
			if c.fault == "" {
				assert.False(t, v.Wrong, v.Err)
				return
			}
			assert.True(t, v.Wrong)
			assert.ErrorContains(t, v.Err, c.fault)
		})
	}
}

func make2[T any](v T) []T { return []T{v, v} }

// Inputs are found again by name, and else by type; one that could be anybody's does not count.
func TestOPCUAPairs(t *testing.T) {
	value := func(name string, kind ua.TypeID) opcuaValue { return opcuaValue{name: name, kind: kind} }
	output := func(name string, kind ua.TypeID) opcuaOutput { return opcuaOutput{opcuaValue: value(name, kind)} }
	for want, p := range map[string]*opcuaPlan{
		"(a, b) → (b=b, a=a)":   {inputs: []opcuaValue{value("a", ua.TypeIDInt32), value("b", ua.TypeIDInt32)}, outputs: []opcuaOutput{output("b", ua.TypeIDInt32), output("a", ua.TypeIDInt32)}},
		"(a, b) → (b=b, x=a)":   {inputs: []opcuaValue{value("a", ua.TypeIDInt32), value("b", ua.TypeIDInt32)}, outputs: []opcuaOutput{output("b", ua.TypeIDInt32), output("x", ua.TypeIDInt32)}},
		"(a) → (a, y=a)":        {inputs: []opcuaValue{value("a", ua.TypeIDInt32)}, outputs: []opcuaOutput{output("a", ua.TypeIDString), output("y", ua.TypeIDInt32)}},
		"(a, ok) → (x=a, y=ok)": {inputs: []opcuaValue{value("a", ua.TypeIDInt32), value("ok", ua.TypeIDBoolean)}, outputs: []opcuaOutput{output("x", ua.TypeIDInt32), output("y", ua.TypeIDBoolean)}},
	} {
		p.object = ua.NewTwoByteNodeID(1)
		require.NoError(t, p.expect(ExpectEcho))
		assert.Equal(t, want, p.String())
	}
	p := &opcuaPlan{
		object: ua.NewTwoByteNodeID(1),
		inputs: []opcuaValue{value("ok", ua.TypeIDBoolean)}, outputs: []opcuaOutput{output("ok", ua.TypeIDBoolean)},
	}
	assert.ErrorContains(t, p.expect(ExpectEcho), "cannot echo")
}

// However many requests are lost, what is remembered of them is bounded.
func TestOPCUAForgetsLostRequests(t *testing.T) {
	c := newOPCUAConn(&opcuaSession{})
	lane := newOPCUALane(&opcuaGroup{}, c.session, false)
	for i := range uint32(3 * maxLate) {
		c.asked[i] = opcuaAsked{lane, firstSeq}
		require.True(t, c.giveUp(i))
		require.LessOrEqual(t, len(c.asked), maxLate+1)
	}
	c.asked[1<<30] = opcuaAsked{lane, firstSeq}
	c.lose(errOPCUAClosed)
	assert.Equal(t, Verdict{Outcome: Lost, Err: errOPCUAClosed}, <-lane.answer)
	assert.False(t, c.giveUp(1<<30))
}

// What comes to no request after the last one is told by one lane of the session, once.
func TestOPCUAStragglers(t *testing.T) {
	target := opcuaTarget(t, OPCUAOptions{Endpoint: opcuaServer(t, echoOPCUA, nil), Method: "ns=1;s=Press.Ask"})
	lanes := opcuaLanes(t, target, 2)
	first, second := lanes[0].(*opcuaLane), lanes[1].(*opcuaLane)
	require.Same(t, first.session, second.session)
	first.session.duplicates.Add(2)
	assert.Zero(t, second.Stragglers(time.Now()))
	assert.Equal(t, 2, first.Stragglers(time.Now().Add(time.Millisecond)))
	assert.Zero(t, first.Stragglers(time.Now().Add(time.Millisecond)))
	require.NoError(t, first.Close())
	assert.Zero(t, first.Stragglers(time.Now().Add(time.Hour)), "it is closed")
}

// Tokens are renewed while the load goes on; if that fails, the session is made anew.
func TestOPCUARenews(t *testing.T) {
	m, url := meddle(t, opcuaServer(t, echoOPCUA, nil))
	target := opcuaTarget(t, OPCUAOptions{Endpoint: url, Method: "ns=1;s=Press.Ask"})
	target.renewal = 1e-5
	lane := opcuaLanes(t, target, 1)[0].(*opcuaLane)
	conn, _, _ := lane.session.current()
	_, first := conn.client.Token()
	for seq := uint64(firstSeq); ; seq++ {
		require.Equal(t, Verdict{Outcome: Answered}, lane.Ask(seq, soon()))
		if _, token := conn.client.Token(); token > first+2 {
			break
		}
	}
	assert.Zero(t, lane.Reconnects())
	m.cut(false)
	require.Eventually(t, func() bool { return lane.Reconnects() > 0 }, opcuaPatience, time.Millisecond)
	require.Equal(t, Verdict{Outcome: Answered}, lane.Ask(firstSeq-5, soon()))
}
