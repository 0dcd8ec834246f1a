package service

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/core"
)

// Fallback is what is given instead of an answer that did not come.
type Fallback struct {
	outputs []*ua.Variant // of a Method
	value   *ua.Variant   // of a Variable; nil: it is only written
}

// ParseFallback reads JSON text as the answer to a node's operations. The error says why it does not
// fit. A Variable that is not read by transactions may have null: a Write is answered with a status
// alone.
func (n *Node) ParseFallback(text []byte) (*Fallback, error) {
	if offset, err := core.ValidJSON(text); err != nil {
		return nil, fmt.Errorf("not JSON: at byte %d: %w", offset, err)
	}
	text = bytes.TrimSpace(text)
	if n.Space.Class == ua.NodeClassMethod {
		outputs, err := n.outputs(text)
		return &Fallback{outputs: outputs}, err
	}
	if string(text) == "null" {
		if n.ReadHeld {
			return nil, errors.New("null is no value of a Variable")
		}
		return &Fallback{}, nil
	}
	v, err := n.Type.Parse(text)
	return &Fallback{value: v}, err
}

// fallsBack says whether the fallback takes the place of this end.
func (n *Node) fallsBack(o core.Outcome) bool {
	return n.Fallback != nil && (o == core.Timeout || o == core.Shed || o == core.NotPublished)
}

// substitute answers with the fallback. The Variable keeps its value: that of a machine is not what
// a file says.
func (op *operation) substitute(to *result) ua.StatusCode {
	fallback := op.node.Fallback
	to.outputs = fallback.outputs
	if !op.reads() {
		return ua.StatusUncertainSubstituteValue
	}
	part, status := op.part.Read(fallback.value)
	if status != ua.StatusOK {
		return status
	}
	to.value = stamp(&ua.DataValue{
		Value: part, Status: ua.StatusUncertainSubstituteValue, SourceTimestamp: time.Now(),
	}, op.times)
	return ua.StatusUncertainSubstituteValue
}
