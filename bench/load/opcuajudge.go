package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// judge says what became of request seq, whose response r is. scratch is memory to work with.
func (p *opcuaPlan) judge(r rawclient.Response, seq uint64, scratch *[]byte) Verdict {
	number, handle, _, ok := r.Result()
	switch {
	case r.Err != nil:
		return refused(r.Err)
	case ok && handle != r.ID:
		return wrong("it has the handle of request %d", handle)
	case ok && number == p.response && p.matches(r.Body, seq, scratch):
		return Verdict{Outcome: Answered}
	}
	response, err := r.Decode()
	switch r := response.(type) {
	case nil:
		return wrong("%w", err)
	case *ua.CallResponse:
		if err == nil && p.object != nil && len(r.Results) == 1 {
			return p.judgeCall(r, seq)
		}
	case *ua.WriteResponse:
		if err == nil && p.object == nil && len(r.Results) == 1 {
			return result(r.Results[0], r.DiagnosticInfos)
		}
	}
	if err != nil {
		return refused(err)
	}
	return wrong("it is a %T, or one of several results", response)
}

func (p *opcuaPlan) judgeCall(r *ua.CallResponse, seq uint64) Verdict {
	call := r.Results[0]
	if v := result(call.StatusCode, r.DiagnosticInfos); v.Outcome != Answered {
		return v
	}
	if len(call.OutputArguments) != len(p.outputs) {
		return wrong("it has %d outputs, want %d", len(call.OutputArguments), len(p.outputs))
	}
	for i, got := range call.OutputArguments {
		o := &p.outputs[i]
		if o.input == nil {
			continue
		}
		var want ua.Variant
		bytesWant := o.input.append(nil, p.seed, seq)
		bytesGot, err := got.Encode()
		if err == nil && bytes.Equal(bytesGot, bytesWant) {
			continue
		}
		if _, err := want.Decode(bytesWant); err != nil {
			return wrong("output %s: %w", o.name, err)
		}
		return wrong("its output %s is %.80q, want %.80q", o.name, fmt.Sprint(got.Value()), fmt.Sprint(want.Value()))
	}
	return Verdict{Outcome: Answered}
}

// result is the verdict of a status code, and of what is said to it.
func result(status ua.StatusCode, infos []*ua.DiagnosticInfo) Verdict {
	if status == ua.StatusOK {
		return Verdict{Outcome: Answered}
	}
	name := statusName(status)
	if len(infos) == 0 || infos[0] == nil || infos[0].AdditionalInfo == "" {
		return Verdict{Outcome: name}
	}
	info := infos[0].AdditionalInfo
	v := Verdict{Outcome: name, Err: fmt.Errorf("%s: %.300s", name, info)}
	if word, _, _ := strings.Cut(info, " "); outcomes[word] {
		v.Outcome = word
	}
	return v
}

// outcomes are the words of the gateway for what was not answered.
var outcomes = func() map[string]bool {
	words := make(map[string]bool)
	for _, o := range core.Outcomes() {
		words[o.String()] = o != core.Answered
	}
	return words
}()

// refused is the verdict of a request that failed as a whole.
func refused(err error) Verdict {
	var status ua.StatusCode
	if errors.As(err, &status) {
		return Verdict{Outcome: statusName(status), Err: opcuaError{err}}
	}
	return wrong("%w", opcuaError{err})
}

func wrong(format string, args ...any) Verdict {
	return Verdict{Outcome: Answered, Wrong: true, Err: fmt.Errorf("the answer is not that of the request: "+format, args...)}
}

// statusName is the name of a status code, such as BadTimeout.
func statusName(status ua.StatusCode) string {
	if d, ok := ua.StatusCodes[status]; ok {
		return strings.TrimPrefix(d.Name, "Status")
	}
	return fmt.Sprintf("status 0x%08X", uint32(status))
}

// opcuaReader compares a body with what it should be, as far as it goes.
type opcuaReader struct {
	rest []byte
	ok   bool
}

func (r *opcuaReader) want(b ...byte) {
	r.ok = r.ok && bytes.HasPrefix(r.rest, b)
	if r.ok {
		r.rest = r.rest[len(b):]
	}
}

// none wants an array that is null or empty.
func (r *opcuaReader) none() {
	const null = 0xffffffff
	r.ok = r.ok && len(r.rest) >= 4
	if r.ok {
		n := binary.LittleEndian.Uint32(r.rest)
		r.ok, r.rest = n == 0 || n == null, r.rest[4:]
	}
}

// matches says that a body, byte by byte, is the right answer to request seq as servers write it.
// What does not match may be right all the same, and is decoded.
func (p *opcuaPlan) matches(body []byte, seq uint64, scratch *[]byte) bool {
	const result = 4 + 8 + 4 // type id, timestamp, request handle
	r := opcuaReader{rest: body[result:], ok: true}
	r.want(0, 0, 0, 0, 0) // Good, no diagnostics of the service
	r.none()              // no string table
	r.want(0, 0, 0)       // no additional header
	r.want(1, 0, 0, 0)    // one result
	r.want(0, 0, 0, 0)    // Good
	if p.object != nil {
		r.none() // results of the inputs
		r.none() // diagnostics of the inputs
		p.matchOutputs(&r, seq, scratch)
	}
	r.none() // diagnostics
	return r.ok && len(r.rest) == 0
}

func (p *opcuaPlan) matchOutputs(r *opcuaReader, seq uint64, scratch *[]byte) {
	if len(p.outputs) == 0 {
		r.none()
		return
	}
	r.want(binary.LittleEndian.AppendUint32(nil, uint32(len(p.outputs)))...)
	for i := range p.outputs {
		o := &p.outputs[i]
		if o.input != nil {
			*scratch = o.input.append((*scratch)[:0], p.seed, seq)
			r.want(*scratch...)
		} else if r.ok {
			r.rest, r.ok = o.skip(r.rest)
		}
	}
}
