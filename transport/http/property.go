package http

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/flowsync-go/flowsync/core"
)

// maxProperty bounds the value of a property, in bytes; longer ones are left out.
const maxProperty = 1 << 10

// properties returns what travels with the request: where it came from, and the trace it
// belongs to. Every value is text that MQTT allows (MQTT 5 section 1.5.4).
func (x *exchange) properties() []core.Property {
	x.props = append(x.props, core.Property{Name: "http-method", Value: x.route.Method})
	x.property("http-path", x.target.path, x.route.pathText)
	x.property("http-query", withoutToken(x.target.query), "")
	x.property("http-content-type", x.head.contentType, jsonType)
	if parent := x.head.traceparent; !x.head.manyTraceparents && validTraceparent(parent) {
		x.property("traceparent", parent, "")
		if len(x.head.tracestate) > 0 {
			if state := string(bytes.Join(x.head.tracestate, []byte(","))); validTracestate(state) {
				x.props = append(x.props, core.Property{Name: "tracestate", Value: state})
			}
		}
	}
	return x.props
}

// property adds a property unless its value is empty or too long. usual is what the value is most
// of the time, fit for MQTT: then there is no need to make a string of it.
func (x *exchange) property(name string, value []byte, usual string) {
	switch {
	case len(value) == 0:
		return
	case string(value) == usual:
		x.props = append(x.props, core.Property{Name: name, Value: usual})
		return
	}
	if text := mqttText(value); len(text) <= maxProperty {
		x.props = append(x.props, core.Property{Name: name, Value: text})
	}
}

// mqttText returns text with everything percent-encoded that a broker may end the connection
// for: invalid UTF-8, control characters and non-characters.
func mqttText(text []byte) string {
	plain := true
	for _, c := range text {
		if c < ' ' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return string(text)
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if allowedInMQTT(r, size) {
			b.Write(text[:size])
		} else {
			for _, c := range text[:size] {
				b.WriteByte('%')
				b.WriteByte(hex[c>>4])
				b.WriteByte(hex[c&15])
			}
		}
		text = text[size:]
	}
	return b.String()
}

// asProperty returns text if it is fit for MQTT as it is, else nothing.
func asProperty(text string) string {
	if len(text) > maxProperty || mqttText([]byte(text)) != text {
		return ""
	}
	return text
}

func allowedInMQTT(r rune, size int) bool {
	switch {
	case r == utf8.RuneError && size == 1, r < ' ', 0x7f <= r && r < 0xa0:
		return false
	case 0xfdd0 <= r && r <= 0xfdef, r&0xfffe == 0xfffe:
		return false
	}
	return true
}

// validTraceparent says whether text obeys W3C Trace Context, section 3.2. Later versions may
// be longer, with a dash after the fields that are known.
func validTraceparent(text []byte) bool {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if len(text) < length || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return false
	}
	version, trace, span, flags := text[0:2], text[3:35], text[36:52], text[53:55]
	for _, field := range [][]byte{version, trace, span, flags} {
		if !lowerHex(field) {
			return false
		}
	}
	if string(version) == "ff" || allZero(trace) || allZero(span) {
		return false
	}
	if len(text) > length {
		return string(version) != "00" && text[length] == '-'
	}
	return true
}

func lowerHex(text []byte) bool {
	for _, c := range text {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func allZero(text []byte) bool { return len(bytes.Trim(text, "0")) == 0 }

// maxTraceMembers is how many entries a tracestate may have.
const maxTraceMembers = 32

// validTracestate says whether text obeys W3C Trace Context, section 3.3: up to 32 entries,
// key=value, none twice, empty ones allowed.
func validTracestate(text string) bool {
	if len(text) > maxProperty {
		return false
	}
	seen := make(map[string]bool)
	for entry := range strings.SplitSeq(text, ",") {
		entry = strings.Trim(entry, " \t")
		if entry == "" {
			continue
		}
		key, value, found := strings.Cut(entry, "=")
		if !found || !validTraceKey(key) || !validTraceValue(value) || seen[key] {
			return false
		}
		seen[key] = true
	}
	return len(seen) > 0 && len(seen) <= maxTraceMembers
}

func validTraceKey(key string) bool {
	tenant, system, multi := strings.Cut(key, "@")
	if !multi {
		return traceName(key, 256, false)
	}
	return traceName(tenant, 241, true) && traceName(system, 14, false)
}

func traceName(name string, longest int, digitFirst bool) bool {
	if name == "" || len(name) > longest {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z':
		case '0' <= c && c <= '9':
			if i == 0 && !digitFirst {
				return false
			}
		case i > 0 && (c == '_' || c == '-' || c == '*' || c == '/'):
		default:
			return false
		}
	}
	return true
}

func validTraceValue(value string) bool {
	if value == "" || len(value) > 256 {
		return false
	}
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == ',' || c == '=' {
			return false
		}
	}
	return true
}
