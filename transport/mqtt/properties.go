package mqtt

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/flowsync-go/flowsync/core"
)

const (
	contentTypeJSON = "application/json"
	// timeoutProperty tells the responder how long he has, in ms from receipt, so that clocks
	// need not agree.
	timeoutProperty = "flowsync-timeout-ms"
	// maxProperty bounds the name and the value of a user property, in bytes.
	maxProperty = 1024
)

// Properties are the MQTT 5 properties of a request, for whatever library writes them.
type Properties struct {
	ResponseTopic   string
	CorrelationData []byte // the 16 bytes of the id
	MessageExpiry   uint32 // seconds left until the deadline, rounded up, at least 1
	ContentType     string
	// User are flowsync-timeout-ms and the request's own properties, each fit for MQTT.
	User []core.Property
}

// RequestProperties returns the properties of a request as it is published now. Nothing in
// them aliases the request except strings.
func RequestProperties(r *core.Request) Properties {
	left := time.Until(r.Deadline)
	p := Properties{
		ResponseTopic:   r.Node.AnswerTopic(),
		CorrelationData: append([]byte(nil), r.ID[:]...),
		MessageExpiry:   expirySeconds(left),
		ContentType:     contentTypeJSON,
		User:            make([]core.Property, 0, 1+len(r.Properties)),
	}
	p.User = append(p.User, core.Property{Name: timeoutProperty, Value: strconv.FormatInt(expiryMillis(left), 10)})
	for _, own := range r.Properties {
		if safe, ok := safeProperty(own); ok {
			p.User = append(p.User, safe)
		}
	}
	return p
}

func expirySeconds(left time.Duration) uint32 { return uint32(roundUp(left, time.Second)) }

func expiryMillis(left time.Duration) int64 { return roundUp(left, time.Millisecond) }

// roundUp counts the units in d, at least one: rounding down would tell a responder that he has
// no time at all, and an expiry of 0 means that the message is never delivered.
func roundUp(d, unit time.Duration) int64 {
	return max(1, int64((d+unit-1)/unit))
}

// safeProperty makes a property fit for MQTT: bytes that must not be in an MQTT string are
// percent-encoded (and then % itself, so that the original can be told). False if it has no
// name or is longer than maxProperty. One raw 0xFF would make the broker drop the connection,
// and with it the requests of everybody else.
func safeProperty(p core.Property) (core.Property, bool) {
	if unsafeAt(p.Name) >= 0 {
		p.Name = percentEncode(p.Name)
	}
	if unsafeAt(p.Value) >= 0 {
		p.Value = percentEncode(p.Value)
	}
	return p, p.Name != "" && len(p.Name) <= maxProperty && len(p.Value) <= maxProperty
}

func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	s = s[:min(len(s), maxProperty+1)] // what is longer is left out anyway
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if safeRune(r, size) && r != '%' {
			b.WriteString(s[i : i+size])
			i += size
			continue
		}
		for range size {
			b.WriteByte('%')
			b.WriteByte(hex[s[i]>>4])
			b.WriteByte(hex[s[i]&15])
			i++
		}
	}
	return b.String()
}
