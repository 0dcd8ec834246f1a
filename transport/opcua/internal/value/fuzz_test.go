package value_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// FuzzParse reads a text as every type. What is accepted must be valid JSON again when it is
// written, the same after a second time and after the wire, and what encoding/json reads of it.
func FuzzParse(f *testing.F) {
	for _, c := range good {
		f.Add([]byte(c.in))
	}
	for _, s := range []string{"", "[", `"\ud83d\ud83d\ude00"`, "[1,[2]]", `{"a":1}`, "1E+400", `["\\","\""]`, "\x00"} {
		f.Add([]byte(s))
	}
	var types []value.Type
	for _, name := range typeNames {
		types = append(types, typeOf(f, name))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, typ := range types {
			v, err := typ.Parse(text)
			if err != nil {
				require.Nil(t, v)
				continue
			}
			require.True(t, typ.Accepts(v))
			out, err := value.AppendJSON(nil, v)
			require.NoError(t, err)
			_, err = core.ValidJSON(out)
			require.NoError(t, err)

			again, err := typ.Parse(out)
			require.NoError(t, err)
			require.True(t, value.Equal(v, again))
			for _, v := range []*ua.Variant{again, throughWire(t, v)} {
				require.True(t, typ.Accepts(v))
				same, err := value.AppendJSON(nil, v)
				require.NoError(t, err)
				require.Equal(t, string(out), string(same))
			}
			compareWithJSON(t, v, text, out)
		}
	})
}

// compareWithJSON lets encoding/json read and write the same.
func compareWithJSON(t *testing.T, v *ua.Variant, text, out []byte) {
	switch x := v.Value().(type) {
	case bool:
		agree(t, x, text, out)
	case float32:
		agree(t, x, text, out)
	case float64:
		agree(t, x, text, out)
	case string:
		agree(t, x, text, out)
	case []bool:
		agree(t, x, text, out)
	case []float64:
		agree(t, x, text, out)
	case []string:
		agree(t, x, text, out)
	case int8, uint8, int16, uint16, int32, uint32:
		var n float64
		require.NoError(t, json.Unmarshal(text, &n))
		got, ok := value.Number(v)
		require.True(t, ok)
		require.Equal(t, n+0, got+0) // -0 is 0
	}
}

func agree[T any](t *testing.T, x T, text, out []byte) {
	if bytes.Contains(text, []byte(`NaN"`)) || bytes.Contains(text, []byte(`Infinity"`)) {
		return
	}
	var want, back T
	require.NoError(t, json.Unmarshal(text, &want))
	require.Equal(t, any(want), any(x))
	require.NoError(t, json.Unmarshal(out, &back))
	require.Equal(t, any(want), any(back))
}

// FuzzVariant takes bytes as they come from a client. What a type accepts must come back
// unchanged from the wire and from JSON.
func FuzzVariant(f *testing.F) {
	for _, v := range samples() {
		b, err := v.Encode()
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte{0x0d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{0x0c, 1, 0, 0, 0, 0xff})
	f.Add([]byte{0x8d, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		v := decode(body)
		if v == nil {
			return
		}
		for _, name := range typeNames {
			typ := typeOf(t, name)
			if !typ.Accepts(v) {
				continue
			}
			out, err := value.AppendJSON(nil, v)
			require.NoError(t, err)
			back, err := typ.Parse(out)
			require.NoError(t, err)
			same, err := value.AppendJSON(nil, back)
			require.NoError(t, err)
			require.Equal(t, string(out), string(same))
			require.True(t, value.Equal(v, throughWire(t, v)))
			require.True(t, value.Equal(v, v))
		}
	})
}

// decode leaves out what the guard keeps from the codec.
func decode(body []byte) *ua.Variant {
	if len(body) == 0 || len(body) > 1000 {
		return nil
	}
	nests := body[0]&0x3f > byte(ua.TypeIDLocalizedText)
	hostile := body[0]&0x80 != 0 && (len(body) < 5 || body[4] != 0 || body[3] != 0 || body[2] != 0)
	dimensions := body[0]&0x40 != 0
	if nests || hostile || dimensions {
		return nil
	}
	v := new(ua.Variant)
	if _, err := v.Decode(body); err != nil {
		return nil
	}
	return v
}
