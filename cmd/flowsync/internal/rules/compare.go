package rules

import (
	"reflect"

	"github.com/blues/jsonata-go/jtypes"
)

// The comparisons of JSONata. What is undefined is equal to nothing, nor unequal.

func bothDefined(a, b reflect.Value) bool { return a.IsValid() && b.IsValid() }

func equal(a, b reflect.Value) bool {
	if x, ok := jtypes.AsNumber(a); ok {
		y, ok := jtypes.AsNumber(b)
		return ok && x == y
	}
	if x, ok := jtypes.AsString(a); ok {
		y, ok := jtypes.AsString(b)
		return ok && x == y
	}
	if x, ok := jtypes.AsBool(a); ok {
		y, ok := jtypes.AsBool(b)
		return ok && x == y
	}
	if jtypes.IsCallable(a) || jtypes.IsCallable(b) {
		return interfaceOf(a) == interfaceOf(b)
	}
	// Null, arrays and objects. Equal ones may have been made of different Go types.
	x, errX := normalise(interfaceOf(a))
	y, errY := normalise(interfaceOf(b))
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func in(a, b reflect.Value) bool {
	if !bothDefined(a, b) {
		return false
	}
	for _, item := range flatten(nil, interfaceOf(b)) {
		if equal(a, reflect.ValueOf(item)) {
			return true
		}
	}
	return false
}
