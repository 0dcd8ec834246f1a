package rules

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// format reads bytes that are not JSON. It gets at least width bytes.
type format struct {
	width int
	read  func([]byte) (any, error)
}

var (
	big    = binary.BigEndian
	little = binary.LittleEndian
)

// formats are those documented for Connectware.
var formats = map[string]format{
	"json":       {0, decode},
	"utf8":       {0, readUTF8},
	"latin1":     {0, readLatin1},
	"ascii":      {0, readASCII},
	"toBase64":   {0, func(b []byte) (any, error) { return base64.StdEncoding.EncodeToString(b), nil }},
	"fromBase64": {0, readBase64},
	"boolean":    {1, func(b []byte) (any, error) { return b[0] != 0, nil }},
	"int8":       {1, func(b []byte) (any, error) { return float64(int8(b[0])), nil }},
	"uint8":      {1, func(b []byte) (any, error) { return float64(b[0]), nil }},
	"int16BE":    {2, func(b []byte) (any, error) { return float64(int16(big.Uint16(b))), nil }},
	"int16LE":    {2, func(b []byte) (any, error) { return float64(int16(little.Uint16(b))), nil }},
	"uint16BE":   {2, func(b []byte) (any, error) { return float64(big.Uint16(b)), nil }},
	"uint16LE":   {2, func(b []byte) (any, error) { return float64(little.Uint16(b)), nil }},
	"int32BE":    {4, func(b []byte) (any, error) { return float64(int32(big.Uint32(b))), nil }},
	"int32LE":    {4, func(b []byte) (any, error) { return float64(int32(little.Uint32(b))), nil }},
	"uint32BE":   {4, func(b []byte) (any, error) { return float64(big.Uint32(b)), nil }},
	"uint32LE":   {4, func(b []byte) (any, error) { return float64(little.Uint32(b)), nil }},
	"floatBE":    {4, func(b []byte) (any, error) { return finite(float64(math.Float32frombits(big.Uint32(b)))) }},
	"floatLE":    {4, func(b []byte) (any, error) { return finite(float64(math.Float32frombits(little.Uint32(b)))) }},
	"doubleBE":   {8, func(b []byte) (any, error) { return finite(math.Float64frombits(big.Uint64(b))) }},
	"doubleLE":   {8, func(b []byte) (any, error) { return finite(math.Float64frombits(little.Uint64(b))) }},
}

func makeParse(p *properties) rule {
	name := p.text("format")
	f, ok := formats[name]
	if !ok && name != "" {
		names := make(map[string]bool, len(formats))
		for n := range formats {
			names[n] = true
		}
		p.fail(suggest(name, names), "parse has no format %q", clip(name))
	}
	return rule{run: func(m *message, _ *run) error {
		b, err := m.bytes()
		if err != nil {
			return err
		}
		if len(b) < f.width {
			return fmt.Errorf("format %s needs %d bytes, the payload has %d", name, f.width, len(b))
		}
		v, err := f.read(b)
		if err != nil {
			return fmt.Errorf("format %s: %w", name, err)
		}
		m.store(v)
		return nil
	}}
}

// bytes is what parse reads: the payload as it came, or the text that a rule made of it.
func (m *message) bytes() ([]byte, error) {
	b := m.raw
	if b == nil && m.decoded {
		s, ok := m.value.(string)
		if !ok {
			return nil, fmt.Errorf("it reads the payload as it came, or a string, and a rule in front has made something else of it")
		}
		b = []byte(s)
	}
	if len(b) > MaxPayload {
		return nil, errTooLarge
	}
	return b, nil
}

func readUTF8(b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("the payload is not valid UTF-8; format latin1 reads any bytes")
	}
	return string(b), nil
}

func readLatin1(b []byte) (any, error) {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes), nil
}

func readASCII(b []byte) (any, error) {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return nil, fmt.Errorf("byte %d of the payload is not ASCII; format utf8 or latin1 may read it", i)
		}
	}
	return string(b), nil
}

// readBase64 reads base64 with or without padding, in the URL alphabet too, and in the
// quotes of a JSON string.
func readBase64(b []byte) (any, error) {
	b = bytes.TrimSpace(b)
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		b = b[1 : len(b)-1]
	}
	encoding := base64.RawStdEncoding
	if bytes.ContainsAny(b, "-_") {
		encoding = base64.RawURLEncoding
	}
	decoded, err := encoding.DecodeString(string(bytes.TrimRight(b, "=")))
	if err != nil {
		return nil, fmt.Errorf("the payload is not base64: %w", err)
	}
	if !utf8.Valid(decoded) {
		return nil, fmt.Errorf("what the base64 stands for is not UTF-8 text")
	}
	return string(decoded), nil
}

func finite(f float64) (any, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("the number is %v, which JSON cannot express", f)
	}
	return f, nil
}
