package rules

import (
	"reflect"

	"github.com/blues/jsonata-go/jtypes"
)

// walk follows member names from a value, as a path does: through arrays, whose results
// are joined; a single result stands for itself. An array at the very end stays as it is, also
// an empty one.
func (e *expression) walk(start reflect.Value, names ...string) (any, error) {
	items := flatten(nil, interfaceOf(start))
	for i, name := range names {
		var found []any
		for _, item := range items {
			if v, ok := member(item, name); ok {
				found = append(found, v)
			}
		}
		if i == len(names)-1 && len(found) == 1 {
			return found[0], nil
		}
		items = nil
		for _, v := range found {
			items = flatten(items, v)
		}
		if err := e.spend(len(items) / elementsPerStep); err != nil {
			return nil, err
		}
	}
	switch len(items) {
	case 0:
		return nil, jtypes.ErrUndefined
	case 1:
		return items[0], nil
	}
	return items, nil
}

// flatten appends v, or its elements if it is an array.
func flatten(items []any, v any) []any {
	value := jtypes.Resolve(reflect.ValueOf(v))
	if !value.IsValid() || !jtypes.IsArray(value) {
		return append(items, v)
	}
	for i := range value.Len() {
		items = append(items, interfaceOf(value.Index(i)))
	}
	return items
}

// member finds a name in an object, or in the objects of an array.
func member(item any, name string) (any, bool) {
	switch v := item.(type) {
	case map[string]any:
		found, ok := v[name]
		return found, ok
	case string, float64, bool, nil:
		return nil, false
	}
	value := jtypes.Resolve(reflect.ValueOf(item))
	switch {
	case value.Kind() == reflect.Map && value.Type().Key().Kind() == reflect.String:
		found := value.MapIndex(reflect.ValueOf(name).Convert(value.Type().Key()))
		return interfaceOf(found), found.IsValid()
	case value.IsValid() && jtypes.IsArray(value):
		return memberOfAll(value, name)
	}
	return nil, false
}

func memberOfAll(array reflect.Value, name string) (any, bool) {
	var found []any
	for i := range array.Len() {
		if v, ok := member(interfaceOf(array.Index(i)), name); ok {
			found = flatten(found, v)
		}
	}
	if len(found) == 1 {
		return found[0], true
	}
	return found, len(found) > 0
}
