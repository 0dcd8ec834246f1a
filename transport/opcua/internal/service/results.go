package service

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// finish answers a Call, Write or Read: now, if no operation has to be waited for.
func (r *request) finish(h *held) {
	if len(h.operations) > 0 {
		r.hold(h)
		return
	}
	r.channel.Send(r.id, encodeResults(r.entry.response, r.header.handle, r.header.diagnostics, h.results))
}

// encodeCancelled writes the fault that a request ends with as a whole.
func encodeCancelled(handle, asked uint32, status ua.StatusCode) []byte {
	var w infos
	info := []byte{0}
	if asked = ofService(asked); asked != 0 {
		r := core.Result{Outcome: core.Cancelled, Message: status.Error()}
		info = w.append(nil, asked, (&Node{}).diagnosticOf(&r))
	}
	return appendHeaderWith(make([]byte, 0, 64), serviceFault, handle, status, info, w.table)
}

// encodeResults writes the response to a Call, Write or Read. What does not fit into it costs its
// own item its result, and no other: a client must learn of each whether it was done.
func encodeResults(response uint16, handle, asked uint32, results []result) []byte {
	var w infos
	infos := w.operations(ofOperations(asked), results)
	body := appendHeaderWith(make([]byte, 0, 64+32*len(results)), response, handle, ua.StatusOK, noInfo, w.table)
	body = appendUint32(body, uint32(len(results)))
	misfits := 0
	for i := range results {
		start, r := len(body), &results[i]
		if misfits > maxMisfits && (r.value != nil || r.outputs != nil) {
			r = &result{status: ua.StatusBadResponseTooLarge}
		}
		var err error
		body, err = appendResult(body, response, r)
		switch {
		case err != nil:
			body, _ = appendResult(body[:start], response, &result{status: ua.StatusBadEncodingError})
		case len(body) > MaxResponse:
			misfits++
			body, _ = appendResult(body[:start], response, &result{status: ua.StatusBadResponseTooLarge})
		}
	}
	return append(body, infos...)
}

// maxMisfits is how many results are tried, and do not fit, before no more are: each may be a
// megabyte to write in vain.
const maxMisfits = 8

func appendResult(dst []byte, response uint16, r *result) ([]byte, error) {
	switch response {
	case id.CallResponse_Encoding_DefaultBinary:
		return appendCallResult(dst, r)
	case id.ReadResponse_Encoding_DefaultBinary:
		return appendReadResult(dst, r)
	}
	return appendUint32(dst, uint32(r.status)), nil
}

func appendCallResult(dst []byte, r *result) (_ []byte, err error) {
	dst = appendUint32(dst, uint32(r.status))
	dst = appendStatuses(dst, r.inputs)
	dst = appendUint32(dst, nullLength) // no diagnostic infos of arguments
	if len(r.outputs) == 0 {
		return appendUint32(dst, nullLength), nil
	}
	dst = appendUint32(dst, uint32(len(r.outputs)))
	for _, v := range r.outputs {
		if dst, err = value.AppendBinary(dst, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func appendReadResult(dst []byte, r *result) ([]byte, error) {
	if r.value != nil {
		return appendDataValue(dst, r.value)
	}
	return appendUint32(append(dst, ua.DataValueStatusCode), uint32(r.status)), nil
}
