package service

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// finish answers a Call, Write or Read: now, if no operation has to be waited for.
func (r *request) finish(results []result, operations []*operation) {
	if len(operations) > 0 {
		r.hold(results, operations)
		return
	}
	r.channel.Send(r.id, encodeResults(r.entry.response, r.header.handle, results))
}

// encodeResults writes the response to a Call, Write or Read.
func encodeResults(response uint16, handle uint32, results []result) []byte {
	body := appendHeader(make([]byte, 0, 64+32*len(results)), response, handle, ua.StatusOK)
	body = appendUint32(body, uint32(len(results)))
	var err error
	for i := range results {
		switch response {
		case id.CallResponse_Encoding_DefaultBinary:
			body, err = appendCallResult(body, &results[i])
		case id.ReadResponse_Encoding_DefaultBinary:
			body, err = appendReadResult(body, &results[i])
		default:
			body = appendUint32(body, uint32(results[i].status))
		}
		if err != nil {
			return appendHeader(body[:0], serviceFault, handle, ua.StatusBadEncodingError)
		}
		if len(body) > MaxResponse {
			return appendHeader(nil, serviceFault, handle, ua.StatusBadResponseTooLarge)
		}
	}
	return appendInfos(body, results)
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
