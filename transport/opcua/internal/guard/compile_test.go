package guard

import (
	"reflect"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

type (
	itself      struct{ Next []*itself }
	reads       struct{}
	hasReads    struct{ Field *reads }
	hasAny      struct{ Field any }
	hasArray    struct{ Field [2]int32 }
	hasPointer  struct{ Field *int32 }
	hasNothing  struct{ Field []struct{} }
	hasByte     struct{ A, B uint8 }
	hasAllKinds struct {
		Bool   bool
		Number float32
		Status ua.StatusCode
		Text   ua.XMLElement
		Bytes  []byte
		List   []*hasByte
		Value  hasByte
		Node   *ua.NodeID
	}
)

func (*reads) Decode([]byte) (int, error) { return 0, nil }

// TestWhatTheGuardCannotReadIsFoundAtOnce: New panics rather than let through what the codec
// reads in another way.
func TestWhatTheGuardCannotReadIsFoundAtOnce(t *testing.T) {
	for text, v := range map[string]any{
		"contains itself":      itself{},
		"which decodes itself": hasReads{},
		"interface {}":         hasAny{},
		"[2]int32":             hasArray{},
		"no rule for *int32":   hasPointer{},
		"takes no bytes":       hasNothing{},
		"map":                  map[string]int{},
	} {
		t.Run(text, func(t *testing.T) {
			defer func() { require.Contains(t, recover(), text) }()
			make(compiler).compile(reflect.TypeOf(v))
		})
	}
}

func TestMinimalSizes(t *testing.T) {
	c := make(compiler)
	require.Equal(t, 1+4+4+4+4+4+2+2, c.compile(reflect.TypeFor[hasAllKinds]()).min)
	require.Equal(t, 8, c.compile(reflect.TypeFor[ua.CallMethodRequest]()).min)
	require.Equal(t, 11, c.compile(reflect.TypeFor[*ua.WriteValue]()).min)
}

// TestMinimalSizesAreMinimal: zeros are a value of every type, the shortest one.
func TestMinimalSizesAreMinimal(t *testing.T) {
	g := New(Limits{})
	var types []reflect.Type
	for _, v := range append(services(), structures()...) {
		types = append(types, reflect.TypeOf(v))
	}
	for _, builtin := range builtinTypes() {
		types = append(types, builtin)
	}
	c := make(compiler)
	for _, typ := range types {
		p := c.compile(typ)
		zeros := make([]byte, p.min)
		w := walker{guard: g, rest: zeros, budget: budgetBase}
		require.True(t, w.walk(p) && w.end(), typ)
		w = walker{guard: g, rest: zeros[1:], budget: budgetBase}
		require.False(t, w.walk(p), typ)
		target := typ
		if typ.Kind() == reflect.Pointer {
			target = typ.Elem()
		}
		n, err := ua.Decode(zeros, reflect.New(target).Interface())
		require.NoError(t, err, typ)
		require.Equal(t, p.min, n, typ)
	}
}
