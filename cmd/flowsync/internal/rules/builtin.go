package rules

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"sort"
	"strings"

	jsonata "github.com/blues/jsonata-go"
	"github.com/blues/jsonata-go/jlib"
	"github.com/blues/jsonata-go/jtypes"
)

const (
	// maxFrames is how deep the Go stack may get: some 1300 calls of a JSONata function
	// within each other, a few MiB. Go ends the process at 1 GB.
	maxFrames = 20_000
	// elementsPerStep is how many array elements that are only passed on make a step.
	elementsPerStep = 16
	// frameStride is after how many steps the stack is measured, which takes time in
	// proportion to its depth.
	frameStride = 128
)

// mentionsContext says whether $context may be used; a false alarm in a string does no harm.
func mentionsContext(source string) bool { return strings.Contains(source, "$context") }

// extensions are our functions, and the built-in ones that we replace.
func (e *expression) extensions() map[string]jsonata.Extension {
	undefined, implicit := jtypes.ArgUndefined(0), jtypes.ArgCountEquals(0)
	return map[string]jsonata.Extension{
		fnStep:     {Func: func() (any, error) { return undefinedIf(e.spend(1)) }},
		fnRange:    {Func: e.makeRange},
		fnEqual:    {Func: func(a, b reflect.Value) bool { return bothDefined(a, b) && equal(a, b) }},
		fnUnequal:  {Func: func(a, b reflect.Value) bool { return bothDefined(a, b) && !equal(a, b) }},
		fnIn:       {Func: in},
		fnObject:   {Func: object},
		fnItem:     {Func: onlyItem},
		fnCharge:   {Func: e.charge},
		fnPath:     {Func: e.walk},
		fnText:     {Func: stringify, UndefinedHandler: undefined},
		fnPrivate:  {Func: private, UndefinedHandler: undefined},
		"string":   {Func: stringify, UndefinedHandler: undefined, EvalContextHandler: implicit},
		"keys":     {Func: sortedKeys, UndefinedHandler: undefined, EvalContextHandler: implicit},
		"pad":      {Func: pad, UndefinedHandler: undefined, EvalContextHandler: padContext},
		"match":    {Func: match, UndefinedHandler: undefined, EvalContextHandler: matchContext},
		"contains": {Func: contains, UndefinedHandler: undefined, EvalContextHandler: jtypes.ArgCountEquals(1)},
		"split":    {Func: split, UndefinedHandler: undefined, EvalContextHandler: splitContext},
		"replace":  {Func: replace, UndefinedHandler: undefined, EvalContextHandler: replaceContext},
		"last":     {Func: func(label string) any { return e.recall(label) }},
	}
}

// undefinedIf is how a function of ours that succeeds gives no result.
func undefinedIf(err error) (any, error) {
	if err == nil {
		err = jtypes.ErrUndefined
	}
	return nil, err
}

// spend takes steps from the budget of the running evaluation.
func (e *expression) spend(steps int) error {
	if steps > e.steps {
		return fmt.Errorf("the expression takes more than %d steps; does it end?", MaxSteps)
	}
	e.steps -= steps
	if e.unmeasured += steps; e.unmeasured >= frameStride {
		e.unmeasured = 0
		var frame [1]uintptr
		if runtime.Callers(maxFrames, frame[:]) > 0 {
			return fmt.Errorf("functions of the expression call each other too deeply; does the recursion end?")
		}
	}
	return nil
}

// charge spends what an array costs that goes into a function or another array.
func (e *expression) charge(v reflect.Value) (any, error) {
	if !v.IsValid() {
		return nil, jtypes.ErrUndefined
	}
	if jtypes.IsArray(v) {
		if err := e.spend(jtypes.Resolve(v).Len() / elementsPerStep); err != nil {
			return nil, err
		}
	}
	return interfaceOf(v), nil
}

// object makes an object of names and values. The library's own gives every value an array
// with the context in it as its context, and {"all": $} would be an array.
func object(pairs ...reflect.Value) (any, error) {
	out := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := jtypes.AsString(pairs[i])
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("the object has two members %q", clip(key))
		}
		if pairs[i+1].IsValid() {
			out[key] = interfaceOf(pairs[i+1])
		}
	}
	return out, nil
}

// onlyItem undoes the array that the library makes of the context of an object with
// computed names.
func onlyItem(v reflect.Value) (any, error) {
	if items := jtypes.Resolve(v); jtypes.IsArray(items) && items.Len() == 1 {
		return interfaceOf(items.Index(0)), nil
	}
	if !v.IsValid() {
		return nil, jtypes.ErrUndefined
	}
	return interfaceOf(v), nil
}

// makeRange is the range operator.
func (e *expression) makeRange(from, to reflect.Value) (any, error) {
	first, isFirst := jtypes.AsNumber(from)
	last, isLast := jtypes.AsNumber(to)
	switch {
	case from.IsValid() && (!isFirst || first != math.Trunc(first)):
		return nil, fmt.Errorf(`left side of the ".." operator must evaluate to an integer`)
	case to.IsValid() && (!isLast || last != math.Trunc(last)):
		return nil, fmt.Errorf(`right side of the ".." operator must evaluate to an integer`)
	case !from.IsValid() || !to.IsValid() || first > last:
		return nil, jtypes.ErrUndefined
	case last-first >= MaxSteps:
		return nil, fmt.Errorf("the range has more than %d elements", MaxSteps)
	}
	size := int(last-first) + 1
	if err := e.spend(size); err != nil {
		return nil, err
	}
	out := make([]any, size)
	for i := range out {
		out[i] = first + float64(i)
	}
	return out, nil
}

func stringify(v reflect.Value) (string, error) {
	if jtypes.IsCallable(v) {
		return "", nil
	}
	copied, err := normalise(interfaceOf(v))
	if err != nil {
		return "", err
	}
	return text(copied)
}

// private copies what a transformation inserts.
func private(v reflect.Value) (map[string]any, error) {
	copied, err := normalise(interfaceOf(v))
	if err != nil {
		return nil, err
	}
	members, ok := copied.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the update of a transformation must evaluate to an object")
	}
	return members, nil
}

func interfaceOf(v reflect.Value) any {
	if !v.IsValid() || !v.CanInterface() {
		return nil
	}
	return v.Interface()
}

// sortedKeys is $keys in a defined order.
func sortedKeys(v reflect.Value) (any, error) {
	keys, err := jlib.Keys(v)
	if names, ok := keys.([]string); ok {
		sort.Strings(names)
	}
	return keys, err
}

func pad(s string, width int, chars jtypes.OptionalString) (string, error) {
	if width > MaxPayload || width < -MaxPayload {
		return "", fmt.Errorf("$pad to a width of %d: at most %d", width, MaxPayload)
	}
	return jlib.Pad(s, width, chars), nil
}

// padContext says when the context is the first argument.
func padContext(args []reflect.Value) bool {
	return len(args) > 0 && len(args) < 3 && jtypes.IsNumber(args[0])
}
