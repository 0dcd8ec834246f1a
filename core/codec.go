package core

import (
	"fmt"
	"strconv"
)

// AppendRequest appends the message of a request, {"id":"…","timestamp":…,"value":…}, and
// returns the extended buffer. timestamp is Unix time in ms. value is JSON text that the caller
// has checked (see [ValidJSON]); it is appended byte for byte. Without a value it is null.
func AppendRequest(dst []byte, id ID, timestamp int64, value []byte) []byte {
	dst = append(dst, `{"id":"`...)
	dst = id.Append(dst)
	dst = append(dst, `","timestamp":`...)
	dst = strconv.AppendInt(dst, timestamp, 10)
	dst = append(dst, `,"value":`...)
	if len(value) == 0 {
		dst = append(dst, "null"...)
	} else {
		dst = append(dst, value...)
	}
	return append(dst, '}')
}

// DecodeAnswer reads the payload of an answer: one strict JSON object (see [ValidJSON]), else
// an error that says what is wrong and at which byte. Its members are matched by name after
// decoding escapes, case counts, and of a repeated one the last counts; others are ignored. The
// slices of the reply alias the payload. It allocates only for an error member.
//
// An id that is a string but not the text of a UUID gives HasID with the zero ID, which no
// transaction has. Any other id is an error.
func DecodeAnswer(payload []byte) (Reply, error) {
	var a answerScanner
	if err := a.decode(payload); err != nil {
		return Reply{}, err
	}
	return a.reply, nil
}

// answerScanner collects the members of an answer that are of interest.
type answerScanner struct {
	scanner
	reply     Reply
	failure   []byte // the JSON text of the last error member, nil if there was none
	notString int    // where the last id is, if it is not a string, or -1
}

func (a *answerScanner) decode(payload []byte) error {
	a.text, a.notString = payload, -1
	a.read()
	switch {
	case a.fault != nil:
		return fmt.Errorf("not a JSON object: at byte %d: %w", a.pos, a.fault)
	case a.notString >= 0:
		return fmt.Errorf("the id is not a string, at byte %d", a.notString)
	}
	a.judge()
	return nil
}

func (a *answerScanner) read() {
	i := a.space(0)
	if a.peek(i) != '{' {
		a.expected(i, "'{'")
		return
	}
	i, more := a.enter(i, '}', 0)
	for more {
		if i = a.member(i); i == wrong {
			return
		}
		i, more = a.next(i, '}')
	}
	if i != wrong {
		a.end(i)
	}
}

func (a *answerScanner) member(i int) int {
	raw, escaped, start := a.name(i)
	if start == wrong {
		return wrong
	}
	name := nameOf(raw, escaped)
	if name == nameID {
		return a.id(start)
	}
	end := a.value(start, 1)
	if end == wrong {
		return wrong
	}
	text := a.text[start:end:end]
	switch name {
	case nameValue:
		a.reply.Value = text
	case nameError:
		a.failure = text
	case nameHTTP:
		a.reply.HTTP = text
	case nameExtend:
		a.reply.Extend = text
	}
	return end
}

func (a *answerScanner) id(i int) int {
	a.reply.ID, a.reply.HasID, a.notString = ID{}, true, -1
	if a.peek(i) != '"' {
		a.notString = i
		return a.value(i, 1)
	}
	end, escaped := a.str(i)
	if end == wrong {
		return wrong
	}
	raw := a.text[i+1 : end-1]
	if escaped && len(raw) <= maxEscape*IDTextLen {
		var text [maxEscape * IDTextLen]byte
		raw = unescape(text[:0], raw)
	}
	if k, isUUID := parseKey(raw); isUUID {
		k.put(&a.reply.ID)
	}
	return end
}

// judge reads the error member and says whether the answer is good for anything.
func (a *answerScanner) judge() {
	r := &a.reply
	if a.failure != nil {
		r.Error, r.Problem = decodeError(a.failure)
	} else if r.Value == nil && r.Extend == nil {
		r.Problem = errNothingInIt
	}
}

const (
	errNothingInIt  fault = "the answer has neither a value nor an error"
	errNoObject     fault = "the answer's error is not an object"
	errNoCode       fault = "the answer's error has no code"
	errCode         fault = "the code of the answer's error is neither an integer nor a name"
	errMessageField fault = "the message of the answer's error is not a string"
)

// decodeError reads an error member that is known to be valid JSON.
func decodeError(text []byte) (*ReplyError, error) {
	s := scanner{text: text}
	if s.peek(0) != '{' {
		return nil, errNoObject
	}
	var code, message []byte
	i, more := s.enter(0, '}', 0)
	for more {
		raw, escaped, start := s.name(i)
		end := s.value(start, 0) // as deep as it was when it was found valid
		switch nameOf(raw, escaped) {
		case nameCode:
			code = text[start:end]
		case nameMessage:
			message = text[start:end]
		}
		i, more = s.next(end, '}')
	}
	e := &ReplyError{}
	switch {
	case code == nil:
		return nil, errNoCode
	case code[0] == '"':
		if e.CodeName = unquote(code); e.CodeName == "" {
			return nil, errCode
		}
	default:
		var ok bool
		if e.Code, ok = integer(code); !ok {
			return nil, errCode
		}
	}
	if message != nil {
		if message[0] != '"' {
			return nil, errMessageField
		}
		e.Message = unquote(message)
	}
	return e, nil
}

// memberName is the name of a member that has a meaning in an answer; 0 for all others.
type memberName uint8

const (
	nameID memberName = iota + 1
	nameValue
	nameError
	nameHTTP
	nameExtend
	nameCode
	nameMessage
)

const maxNameLen = len("message") // the longest one

// nameOf finds the name that is written as raw between the quotes.
func nameOf(raw []byte, escaped bool) memberName {
	if escaped {
		if len(raw) > maxEscape*maxNameLen {
			return 0
		}
		var text [maxEscape * maxNameLen]byte
		raw = unescape(text[:0], raw)
	}
	switch string(raw) {
	case "id":
		return nameID
	case "value":
		return nameValue
	case "error":
		return nameError
	case "http":
		return nameHTTP
	case "extend":
		return nameExtend
	case "code":
		return nameCode
	case "message":
		return nameMessage
	}
	return 0
}
