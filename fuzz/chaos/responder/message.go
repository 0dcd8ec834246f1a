package responder

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// idIn finds the id of a request as flowsync writes it; "": there is none.
func idIn(payload []byte) string {
	const before, size = `{"id":"`, 36
	if len(payload) < len(before)+size || !bytes.HasPrefix(payload, []byte(before)) {
		return ""
	}
	return string(payload[len(before) : len(before)+size])
}

// text says that the value of a request, and so that of its answer, is a text and no object.
func (q *request) text() bool { return strings.HasSuffix(q.topic, TextTopic) }

// TextTopic is the end of those topics whose requests have a text as value: Variables.
const TextTopic = "Text"

// value is the value that answers the request. For Methods it has what their outputs are called.
func (q *request) value(pad int) []byte {
	if q.text() {
		return fmt.Appendf(nil, `"%s"`, history.Text(q.marker))
	}
	return history.AppendValue(nil, q.marker, pad)
}

func (q *request) answer() []byte {
	return fmt.Appendf(nil, `{"id":"%s","timestamp":1,"value":%s}`, q.id, q.value(0))
}

func (q *request) extend(by time.Duration) []byte {
	return fmt.Appendf(nil, `{"id":"%s","extend":%d}`, q.id, by.Milliseconds())
}

// past are the last requests.
type past struct {
	ring [512]*request
	n    int
}

func (p *past) keep(q *request) {
	p.ring[p.n%len(p.ring)] = q
	p.n++
}

// pick is one of them; nil: there is none.
func (p *past) pick(which uint64) *request {
	if p.n == 0 {
		return nil
	}
	return p.ring[which>>8%uint64(min(p.n, len(p.ring)))]
}
