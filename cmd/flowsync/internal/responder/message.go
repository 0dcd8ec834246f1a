package responder

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// request is what arrived.
type request struct {
	ID    json.RawMessage // the JSON text of a string
	Value json.RawMessage // nil if there was none

	topic       string // where the answer goes
	correlation []byte
	timeout     time.Duration // how long the requester waits
}

var errNoID = errors.New("the request has no id, or one that is not a string")

// decode reads the payload of a request. Its parts are copies.
func (r *request) decode(payload []byte) error {
	if err := json.Unmarshal(payload, r); err != nil {
		return err
	}
	if len(r.ID) < 2 || r.ID[0] != '"' {
		return errNoID
	}
	return nil
}

// answer is a message that waits to be sent.
type answer struct {
	topic       string
	payload     []byte
	correlation []byte
	retain      bool
	times       int // how often it is sent
	act         Act
}

// size is about what it takes of memory, in bytes.
func (a *answer) size() int { return len(a.topic) + len(a.payload) + len(a.correlation) + 128 }

// answer carries out an act. It must not be Silence.
func (o *Options) answer(r *request, act Act, now time.Time) answer {
	a := answer{topic: r.topic, correlation: r.correlation, times: 1, act: act}
	switch act {
	case Garbage:
		// Without the id nobody can say whose it is, so the other copy of it is left out too.
		a.payload, a.correlation = []byte(`{"id":garbage`), nil
	case WrongID:
		a.correlation = nil
		a.payload = o.appendAnswer(anotherID(r.ID), r, now)
	case IDOnly:
		a.payload = append(append([]byte(`{"id":`), r.ID...), '}')
	case Error:
		a.payload = o.appendError(r.ID, now)
	default:
		a.retain = act == Retained
		if act == Duplicate {
			a.times = 2
		}
		a.payload = o.appendAnswer(r.ID, r, now)
	}
	return a
}

func (o *Options) appendAnswer(id []byte, r *request, now time.Time) []byte {
	value := o.Value
	if value == nil {
		value = r.Value
	}
	if value == nil {
		value = []byte("null")
	}
	p := make([]byte, 0, len(id)+len(value)+48)
	p = appendHead(p, id, now)
	p = append(p, `,"value":`...)
	return append(append(p, value...), '}')
}

func (o *Options) appendError(id []byte, now time.Time) []byte {
	message, _ := json.Marshal(o.ErrorMessage) // a string always can be
	p := appendHead(nil, id, now)
	p = append(p, `,"error":{"code":`...)
	p = strconv.AppendInt(p, int64(o.ErrorCode), 10)
	p = append(p, `,"message":`...)
	return append(append(p, message...), '}', '}')
}

func appendHead(p, id []byte, now time.Time) []byte {
	p = append(append(p, `{"id":`...), id...)
	p = append(p, `,"timestamp":`...)
	return strconv.AppendInt(p, now.UnixMilli(), 10)
}

// anotherID changes the last digit of an id: it still looks like one of the same instance.
func anotherID(id []byte) []byte {
	other := bytes.Clone(id)
	if last := len(other) - 2; last > 0 {
		if other[last] == '0' {
			other[last] = '1'
		} else {
			other[last] = '0'
		}
	}
	return other
}
