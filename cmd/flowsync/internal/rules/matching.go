package rules

import (
	"fmt"
	"reflect"

	"github.com/blues/jsonata-go/jlib"
	"github.com/blues/jsonata-go/jtypes"
)

// maxMatched is the length in bytes of a string that may be matched with a regular
// expression: the library goes one call deeper for every match, and keeps them all.
const maxMatched = 64 << 10

// matchable refuses long strings, unless the pattern is a plain string.
func matchable(name, s string, pattern reflect.Value) error {
	if len(s) > maxMatched && jtypes.IsCallable(pattern) {
		return fmt.Errorf("$%s with a pattern on a string of %d bytes: at most %d", name, len(s), maxMatched)
	}
	return nil
}

func match(s string, pattern jtypes.Callable, limit jtypes.OptionalInt) (any, error) {
	if err := matchable("match", s, reflect.ValueOf(pattern)); err != nil {
		return nil, err
	}
	return jlib.Match(s, pattern, limit)
}

func contains(s string, pattern jlib.StringCallable) (bool, error) {
	if err := matchable("contains", s, reflect.Value(pattern)); err != nil {
		return false, err
	}
	return jlib.Contains(s, pattern)
}

func split(s string, separator jlib.StringCallable, limit jtypes.OptionalInt) ([]string, error) {
	if err := matchable("split", s, reflect.Value(separator)); err != nil {
		return nil, err
	}
	return jlib.Split(s, separator, limit)
}

func replace(s string, pattern, by jlib.StringCallable, limit jtypes.OptionalInt) (string, error) {
	if err := matchable("replace", s, reflect.Value(pattern)); err != nil {
		return "", err
	}
	return jlib.Replace(s, pattern, by, limit)
}

// These say when a call leaves out its first argument and means the context.

func matchContext(args []reflect.Value) bool {
	return leavesOut(args, 1, jtypes.IsCallable)
}

func splitContext(args []reflect.Value) bool {
	return leavesOut(args, 1, isPattern)
}

func replaceContext(args []reflect.Value) bool {
	return leavesOut(args, 2, isPattern)
}

// leavesOut says whether the arguments are n of a kind and at most a number after them.
func leavesOut(args []reflect.Value, n int, kind func(reflect.Value) bool) bool {
	if len(args) != n && (len(args) != n+1 || !jtypes.IsNumber(args[n])) {
		return false
	}
	for _, arg := range args[:n] {
		if !kind(arg) {
			return false
		}
	}
	return true
}

func isPattern(v reflect.Value) bool { return jtypes.IsString(v) || jtypes.IsCallable(v) }
