package load

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// opcuaPlan is what is asked, and what is expected. It does not change once it is made.
type opcuaPlan struct {
	object, node *ua.NodeID // object nil: a Write
	seed         uint32
	inputs       []opcuaValue // of a Write one
	outputs      []opcuaOutput
	response     uint16 // type id
	checked      bool   // some output tells of which request it is
	text         int    // bytes of the first String; 0: there is none
}

// opcuaOutput is an output argument.
type opcuaOutput struct {
	opcuaValue
	input *opcuaValue // whose value it is to carry; nil: it may be anything
}

// plan asks the server what kind of arguments there are.
func (t *OPCUA) plan(ctx context.Context, c *rawclient.Client) (*opcuaPlan, error) {
	p := &opcuaPlan{object: t.object, node: t.node, seed: rand.Uint32(), response: id.CallResponse_Encoding_DefaultBinary}
	var err error
	if t.object == nil {
		p.response = id.WriteResponse_Encoding_DefaultBinary
		err = p.readVariable(ctx, c)
	} else {
		err = p.readArguments(ctx, c)
	}
	if err == nil {
		p.enlarge(t.o.Payload)
		err = p.expect(t.o.Expect)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, opcuaError{err})
	}
	return p, nil
}

// enlarge makes the first text so long.
func (p *opcuaPlan) enlarge(size int) {
	for i := range p.inputs {
		if p.inputs[i].kind == ua.TypeIDString {
			p.inputs[i].size, p.text = size, size
			return
		}
	}
}

// expect finds the outputs that carry inputs back.
func (p *opcuaPlan) expect(what string) error {
	if what == ExpectAny || p.object == nil {
		return nil
	}
	for _, sameName := range []bool{true, false} {
		for i := range p.inputs {
			p.pair(&p.inputs[i], sameName)
		}
	}
	for i := range p.outputs {
		p.checked = p.checked || p.outputs[i].input != nil && p.outputs[i].input.kind != ua.TypeIDBoolean
	}
	if !p.checked {
		return fmt.Errorf("it cannot echo what it is called with: it has %d inputs, %d outputs, and no output of the type of an input that could carry its number: expect any", len(p.inputs), len(p.outputs))
	}
	return nil
}

func (p *opcuaPlan) pair(input *opcuaValue, sameName bool) {
	for i := range p.outputs {
		if p.outputs[i].input == input {
			return
		}
	}
	for i := range p.outputs {
		o := &p.outputs[i]
		if o.input == nil && o.kind == input.kind && (!sameName || o.name == input.name) {
			o.input = input
			return
		}
	}
}

// appendInputs appends the Variants of request seq, which end its body.
func (p *opcuaPlan) appendInputs(dst []byte, seq uint64) []byte {
	for i := range p.inputs {
		dst = p.inputs[i].append(dst, p.seed, seq)
	}
	return dst
}

// request is request seq. Texts of failures are asked for.
func (p *opcuaPlan) request(seq uint64) (ua.Request, error) {
	values := make([]*ua.Variant, len(p.inputs))
	for i := range values {
		values[i] = new(ua.Variant)
		if _, err := values[i].Decode(p.inputs[i].append(nil, p.seed, seq)); err != nil {
			return nil, err
		}
	}
	header := &ua.RequestHeader{ReturnDiagnostics: ua.OperationLevelAdditionalInfo}
	if p.object == nil {
		value := &ua.DataValue{EncodingMask: ua.DataValueValue, Value: values[0]}
		return &ua.WriteRequest{RequestHeader: header, NodesToWrite: []*ua.WriteValue{
			{NodeID: p.node, AttributeID: ua.AttributeIDValue, Value: value},
		}}, nil
	}
	return &ua.CallRequest{RequestHeader: header, MethodsToCall: []*ua.CallMethodRequest{
		{ObjectID: p.object, MethodID: p.node, InputArguments: values},
	}}, nil
}

// template is a request as a body, and where its inputs are.
func (p *opcuaPlan) template(c *rawclient.Client) (t *rawclient.Template, inputs int, err error) {
	request, err := p.request(firstSeq)
	if err != nil {
		return nil, 0, err
	}
	body, err := c.Encode(request)
	if err != nil {
		return nil, 0, err
	}
	values := p.appendInputs(nil, firstSeq)
	if !bytes.HasSuffix(body, values) {
		return nil, 0, errors.New("the arguments are not at the end of the request")
	}
	t, err = c.NewTemplate(request)
	return t, len(body) - len(values), err
}

// String says what is asked and compared, for people.
func (p *opcuaPlan) String() string {
	var inputs, outputs []string
	for i := range p.inputs {
		inputs = append(inputs, p.inputs[i].name)
	}
	for i := range p.outputs {
		text := p.outputs[i].name
		if from := p.outputs[i].input; from != nil {
			text += "=" + from.name
		}
		outputs = append(outputs, text)
	}
	return "(" + strings.Join(inputs, ", ") + ") → (" + strings.Join(outputs, ", ") + ")"
}
