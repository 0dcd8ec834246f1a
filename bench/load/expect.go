package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// What answers may be expected to be, apart from a text.
const (
	ExpectEcho = "echo" // what was asked with
	ExpectAny  = "any"  // any JSON
)

// expectation is what a right answer is.
type expectation struct {
	word     string // echo, any, or the text
	template template
	kind     expectationKind
}

type expectationKind int

const (
	echo expectationKind = iota
	anything
	members
)

func newExpectation(text string) (expectation, error) {
	switch text {
	case "", ExpectEcho:
		return expectation{word: ExpectEcho}, nil
	case ExpectAny:
		return expectation{word: ExpectAny, kind: anything}, nil
	}
	e := expectation{word: text, template: newTemplate(text), kind: members}
	if !json.Valid(e.template.append(nil, firstSeq)) {
		return e, fmt.Errorf("%q is neither echo nor any nor JSON: write such as '{\"order\":{seq}}', in which {seq} is the number of the request", text)
	}
	return e, nil
}

// checks says whether the answer of another request would be noticed.
func (e *expectation) checks() bool {
	return e.kind == echo || e.kind == members && e.template.numbered()
}

// judge says what is wrong with an answer to a request with that body; nil: nothing.
func (e *expectation) judge(seq uint64, body, answer []byte) error {
	switch e.kind {
	case anything:
		if !json.Valid(answer) {
			return fmt.Errorf("the answer is not JSON: %.200q", answer)
		}
		return nil
	case echo:
		if bytes.Equal(body, answer) {
			return nil
		}
		return compare(body, answer, reflect.DeepEqual)
	}
	return compare(e.template.append(nil, seq), answer, contains)
}

// compare decodes both, which is what takes time, and judges by that. Numbers are the same if they
// are written the same.
func compare(want, got []byte, same func(want, got any) bool) error {
	w, err := decode(want)
	if err != nil {
		return fmt.Errorf("what was expected is not JSON: %.200q", want)
	}
	g, err := decode(got)
	if err != nil {
		return fmt.Errorf("the answer is not JSON: %.200q, want %.200q", got, want)
	}
	if !same(w, g) {
		return fmt.Errorf("the answer is %.200q, want %.200q", got, want)
	}
	return nil
}

func decode(text []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, errors.New("more than one value")
	}
	return value, nil
}

// contains says whether got has all that want has: objects may have members beyond those of want.
func contains(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return false
		}
		for name, member := range want {
			value, there := object[name]
			if !there || !contains(member, value) {
				return false
			}
		}
		return true
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range want {
			if !contains(want[i], list[i]) {
				return false
			}
		}
		return true
	}
	return want == got
}
