package bench

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

const seed = 4711

// answer is a response as a server would write it.
func answer(t *testing.T, typeID uint16, handle uint32, r ua.Response) []byte {
	t.Helper()
	r.SetHeader(&ua.ResponseHeader{
		Timestamp: time.Now(), RequestHandle: handle,
		ServiceDiagnostics: &ua.DiagnosticInfo{}, AdditionalHeader: ua.NewExtensionObject(nil),
	})
	body, err := ua.Encode(r)
	require.NoError(t, err)
	return append(binary.LittleEndian.AppendUint16([]byte{1, 0}, typeID), body...)
}

func callAnswer(t *testing.T, handle uint32, status ua.StatusCode, text string) []byte {
	result := &ua.CallMethodResult{StatusCode: status, OutputArguments: []*ua.Variant{ua.MustVariant(text)}}
	return answer(t, id.CallResponse_Encoding_DefaultBinary, handle, &ua.CallResponse{Results: []*ua.CallMethodResult{result}})
}

func writeAnswer(t *testing.T, handle uint32, status ua.StatusCode) []byte {
	return answer(t, id.WriteResponse_Encoding_DefaultBinary, handle, &ua.WriteResponse{Results: []ua.StatusCode{status}})
}

func textOf(id uint32) string { return string(appendMark(nil, seed, id)) + "xxxx" }

func TestMarksDiffer(t *testing.T) {
	seen := map[string]bool{}
	for id := range uint32(100_000) {
		seen[string(appendMark(nil, seed, id))] = true
	}
	require.Len(t, seen, 100_000)
}

// Every byte of an answer counts, but those of its time.
func TestPatternSeesEveryByte(t *testing.T) {
	mark := func(id uint32) []byte { return appendMark(nil, seed, id) }
	first := rawclient.Response{ID: 1, Body: callAnswer(t, 1, ua.StatusOK, textOf(1))}
	calls, err := learn(first, Call, []byte(textOf(1)), mark(1))
	require.NoError(t, err)
	writes, err := learn(rawclient.Response{ID: 1, Body: writeAnswer(t, 1, ua.StatusOK)}, Write, nil, mark(1))
	require.NoError(t, err)

	for _, c := range []struct {
		name string
		p    *pattern
		body []byte
	}{{"Call", calls, callAnswer(t, 2, ua.StatusOK, textOf(2))}, {"Write", writes, writeAnswer(t, 2, ua.StatusOK)}} {
		t.Run(c.name, func(t *testing.T) {
			require.True(t, c.p.matches(c.body, 2, mark(2)))
			for i := range c.body {
				changed := bytes.Clone(c.body)
				changed[i]++
				require.Equal(t, timeAt <= i && i < handleAt, c.p.matches(changed, 2, mark(2)), "byte %d", i)
			}
			require.False(t, c.p.matches(c.body[:len(c.body)-1], 2, mark(2)))
			require.False(t, c.p.matches(nil, 2, mark(2)))
		})
	}
}

func TestFirstAnswerIsJudged(t *testing.T) {
	for _, c := range []struct {
		name    string
		request Request
		body    []byte
	}{
		{"a Call that failed", Call, callAnswer(t, 1, ua.StatusBadTimeout, textOf(1))},
		{"the text of another", Call, callAnswer(t, 1, ua.StatusOK, textOf(2))},
		{"a Write for a Call", Call, writeAnswer(t, 1, ua.StatusOK)},
		{"a Call for a Write", Write, callAnswer(t, 1, ua.StatusOK, textOf(1))},
		{"a Write that failed", Write, writeAnswer(t, 1, ua.StatusBadTimeout)},
		{"bytes", Call, []byte("bytes")},
	} {
		_, err := learn(rawclient.Response{ID: 1, Body: c.body}, c.request, []byte(textOf(1)), appendMark(nil, seed, 1))
		require.Error(t, err, c.name)
	}
}

// A loop counts what is lost, wrong and too much.
func TestLoopCountsFaults(t *testing.T) {
	now := time.Now()
	l := &loop{
		seed: seed, text: []byte(textOf(0)), idle: make(chan struct{}, 1), measuring: true,
		asked: map[uint32]time.Time{1: now, 2: now, 3: now, 4: now},
	}
	l.deliver(rawclient.Response{ID: 1, Body: callAnswer(t, 1, ua.StatusOK, textOf(1))})
	l.deliver(rawclient.Response{ID: 1, Body: callAnswer(t, 1, ua.StatusOK, textOf(1))}) // twice
	l.deliver(rawclient.Response{ID: 2, Body: callAnswer(t, 2, ua.StatusOK, textOf(3))}) // that of another
	l.deliver(rawclient.Response{ID: 3, Err: ua.StatusBadEncodingError})                 // given up
	l.deliver(rawclient.Response{ID: 9, Body: callAnswer(t, 9, ua.StatusOK, textOf(9))}) // never asked
	faults, err := l.ended(nil)
	require.NoError(t, err)
	require.Equal(t, Faults{Lost: 1, Wrong: 2, Duplicate: 2}, faults)
	require.Len(t, l.times, 3)
}

func TestLoopEndsWithItsFirstAnswer(t *testing.T) {
	l := &loop{seed: seed, text: []byte(textOf(0)), idle: make(chan struct{}, 1), again: true, asked: map[uint32]time.Time{1: time.Now()}}
	l.deliver(rawclient.Response{ID: 1, Body: callAnswer(t, 1, ua.StatusBadUserAccessDenied, textOf(1))})
	<-l.idle
	faults, err := l.ended(nil)
	require.ErrorContains(t, err, "the first answer")
	require.Equal(t, 1, faults.Wrong)
}
