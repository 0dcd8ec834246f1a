package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/blues/jsonata-go/jtypes"
)

// Values are what JSONata computes with: map[string]any, []any, string, bool, float64, int64
// and uint64 for integers that float64 would round, and null. Slices have no spare capacity:
// the library appends to what it is given.

// null is how the JSONata library keeps null; it reads a nil interface as undefined.
var null any = (*any)(nil)

// maxExact is the largest integer up to which every integer is a float64.
const maxExact = 1 << 53

var (
	errTooLarge = fmt.Errorf("the value is larger than %d bytes", MaxPayload)
	errTooDeep  = fmt.Errorf("the value is nested deeper than %d levels", MaxDepth)
)

// decode reads a JSON payload.
func decode(payload []byte) (any, error) {
	if len(payload) > MaxPayload {
		return nil, errTooLarge
	}
	if nesting(payload) > MaxDepth {
		return nil, errTooDeep
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, notJSON(err, int64(len(payload)))
	}
	if rest := bytes.TrimLeft(payload[d.InputOffset():], " \t\r\n"); len(rest) > 0 {
		return nil, notJSON(fmt.Errorf("there is more after the value"), d.InputOffset())
	}
	return fromJSON(v)
}

func notJSON(err error, offset int64) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		offset = syntax.Offset
	}
	return fmt.Errorf("the payload is not JSON (byte %d: %w); a parse rule in front can read other formats", offset, err)
}

// nesting says how deep brackets are nested in what may be JSON.
func nesting(payload []byte) (deepest int) {
	depth, inString := 0, false
	for i := 0; i < len(payload); i++ {
		switch c := payload[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// fromJSON gives numbers, nulls and arrays of a decoded value the form JSONata needs.
func fromJSON(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case nil:
		return null, nil
	case json.Number:
		return number(string(v))
	case []any:
		for i := range v {
			if v[i], err = fromJSON(v[i]); err != nil {
				return nil, err
			}
		}
		return slices.Clip(v), nil
	case map[string]any:
		for key := range v {
			if v[key], err = fromJSON(v[key]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func number(s string) (any, error) {
	if !strings.ContainsAny(s, ".eE") {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			if -maxExact <= i && i <= maxExact {
				return float64(i), nil
			}
			return i, nil
		}
		if u, err := strconv.ParseUint(s, 10, 64); err == nil {
			return u, nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, fmt.Errorf("the number %s is out of range", clip(s))
	}
	return f, nil
}

// copier makes a deep copy of what an expression yields, in the form of decode, and stops
// at the bounds. Results share parts with each other and with the input, may contain
// functions and Go slices of any type, and may be a few bytes that stand for gigabytes.
type copier struct{ left int } // bytes of JSON it may still come to

func normalise(v any) (any, error) {
	c := copier{left: MaxPayload}
	return c.value(reflect.ValueOf(v), 0)
}

func (c *copier) spend(bytes int) error {
	if c.left -= bytes; c.left < 0 {
		return errTooLarge
	}
	return nil
}

func (c *copier) value(v reflect.Value, depth int) (any, error) {
	if jtypes.IsCallable(v) {
		return nil, errFunction
	}
	v = jtypes.Resolve(v)
	if err := c.spend(1); err != nil {
		return nil, err
	}
	switch v.Kind() {
	case reflect.Invalid, reflect.Pointer, reflect.Interface: // nil, all three
		return null, c.spend(3)
	case reflect.Bool:
		return v.Bool(), nil
	case reflect.String:
		return v.String(), c.spend(v.Len())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return number(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return number(strconv.FormatUint(v.Uint(), 10))
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, nil
		}
		return nil, fmt.Errorf("the result is a number that JSON cannot express")
	}
	if depth == MaxDepth {
		return nil, errTooDeep
	}
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		return c.array(v, depth+1)
	case reflect.Map:
		return c.object(v, depth+1)
	}
	return nil, fmt.Errorf("the result has a part that JSON cannot express (%s)", v.Type())
}

var errFunction = fmt.Errorf("the result is a function; call it, or put () after its name")

func (c *copier) array(v reflect.Value, depth int) (any, error) {
	if err := c.spend(v.Len()); err != nil {
		return nil, err
	}
	out := make([]any, v.Len())
	for i := range out {
		item, err := c.value(v.Index(i), depth)
		if errors.Is(err, errFunction) {
			item, err = null, nil // as JSON.stringify has it
		}
		if err != nil {
			return nil, err
		}
		out[i] = item
	}
	return out, nil
}

func (c *copier) object(v reflect.Value, depth int) (any, error) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("the result has a part that JSON cannot express (%s)", v.Type())
	}
	out := make(map[string]any, v.Len())
	for members := v.MapRange(); members.Next(); {
		key := members.Key().String()
		if err := c.spend(len(key) + 4); err != nil {
			return nil, err
		}
		member, err := c.value(members.Value(), depth)
		if errors.Is(err, errFunction) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[key] = member
	}
	return out, nil
}

// encode writes a value as JSON. It does not change it, and may run while others read it.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("the result cannot be written as JSON: %w", err)
	}
	out := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if len(out) > MaxPayload {
		return nil, errTooLarge
	}
	return out, nil
}

// text is what a value looks like inside a string: $string(v) of JSONata.
func text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	b, err := encode(v)
	return string(b), err
}
