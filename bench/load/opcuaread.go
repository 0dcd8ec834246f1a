package load

import (
	"context"
	"errors"
	"fmt"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// maxOPCUAArguments is how many inputs or outputs a Method may have.
const maxOPCUAArguments = 100

// readVariable reads of which type the Variable is.
func (p *opcuaPlan) readVariable(ctx context.Context, c *rawclient.Client) error {
	values, err := readOPCUA(ctx, c,
		&ua.ReadValueID{NodeID: p.node, AttributeID: ua.AttributeIDDataType},
		&ua.ReadValueID{NodeID: p.node, AttributeID: ua.AttributeIDValueRank})
	if err != nil {
		return fmt.Errorf("reading of which type it is: %w", err)
	}
	dataType, ok := values[0].(*ua.NodeID)
	rank, okRank := values[1].(int32)
	if !ok || !okRank {
		return fmt.Errorf("its data type is a %T, its value rank a %T", values[0], values[1])
	}
	v, err := newOPCUAValue("it", dataType, rank)
	p.inputs = []opcuaValue{v}
	return err
}

// readArguments reads of which types the arguments of the Method are (OPC 10000-3, 5.7).
func (p *opcuaPlan) readArguments(ctx context.Context, c *rawclient.Client) error {
	inputs, err := p.arguments(ctx, c, "InputArguments")
	if err != nil {
		return err
	}
	for _, a := range inputs {
		v, err := newOPCUAValue(a.Name, a.DataType, a.ValueRank)
		if err != nil {
			return fmt.Errorf("input %w", err)
		}
		p.inputs = append(p.inputs, v)
	}
	outputs, err := p.arguments(ctx, c, "OutputArguments")
	for _, a := range outputs {
		v, err := newOPCUAValue(a.Name, a.DataType, a.ValueRank)
		if err != nil {
			v.kind = ua.TypeIDNull // it cannot be compared with anything, but may be there
		}
		p.outputs = append(p.outputs, opcuaOutput{opcuaValue: v})
	}
	return err
}

// arguments reads one of the two Properties of the Method; it has none if there are no arguments.
func (p *opcuaPlan) arguments(ctx context.Context, c *rawclient.Client, property string) ([]*ua.Argument, error) {
	node, err := p.property(ctx, c, property)
	if err != nil || node == nil {
		return nil, err
	}
	values, err := readOPCUA(ctx, c, &ua.ReadValueID{NodeID: node, AttributeID: ua.AttributeIDValue})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", property, err)
	}
	objects, ok := values[0].([]*ua.ExtensionObject)
	if !ok && values[0] != nil || len(objects) > maxOPCUAArguments {
		return nil, fmt.Errorf("%s is a %T of %d, want at most %d arguments", property, values[0], len(objects), maxOPCUAArguments)
	}
	arguments := make([]*ua.Argument, len(objects))
	for i, o := range objects {
		if o != nil {
			arguments[i], _ = o.Value.(*ua.Argument)
		}
		if arguments[i] == nil {
			return nil, fmt.Errorf("%s has a member that is no argument", property)
		}
	}
	return arguments, nil
}

// property finds a Property of the Method; nil: it has none of that name.
func (p *opcuaPlan) property(ctx context.Context, c *rawclient.Client, name string) (*ua.NodeID, error) {
	response, err := c.Do(ctx, &ua.TranslateBrowsePathsToNodeIDsRequest{BrowsePaths: []*ua.BrowsePath{{
		StartingNode: p.node,
		RelativePath: &ua.RelativePath{Elements: []*ua.RelativePathElement{{
			ReferenceTypeID: ua.NewNumericNodeID(0, id.HasProperty), TargetName: &ua.QualifiedName{Name: name},
		}}},
	}}})
	if err != nil {
		return nil, fmt.Errorf("looking for %s: %w", name, err)
	}
	r, ok := response.(*ua.TranslateBrowsePathsToNodeIDsResponse)
	if !ok || len(r.Results) != 1 {
		return nil, fmt.Errorf("looking for %s: the answer is a %T", name, response)
	}
	switch result := r.Results[0]; {
	case result.StatusCode == ua.StatusBadNoMatch:
		return nil, nil
	case result.StatusCode != ua.StatusOK:
		return nil, fmt.Errorf("looking for %s: %s", name, statusName(result.StatusCode))
	case len(result.Targets) == 0 || result.Targets[0].TargetID == nil:
		return nil, fmt.Errorf("looking for %s: there is one, but the server does not say where", name)
	default:
		return result.Targets[0].TargetID.NodeID, nil
	}
}

// readOPCUA reads attributes. The values are as many.
func readOPCUA(ctx context.Context, c *rawclient.Client, what ...*ua.ReadValueID) ([]any, error) {
	for _, w := range what {
		w.DataEncoding = &ua.QualifiedName{}
	}
	response, err := c.Do(ctx, &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnNeither, NodesToRead: what})
	if err != nil {
		return nil, err
	}
	r, ok := response.(*ua.ReadResponse)
	if !ok || len(r.Results) != len(what) {
		return nil, fmt.Errorf("the answer is a %T", response)
	}
	values := make([]any, len(what))
	for i, result := range r.Results {
		if result.Status != ua.StatusOK {
			return nil, errors.New(statusName(result.Status))
		}
		if result.Value != nil {
			values[i] = result.Value.Value()
		}
	}
	return values, nil
}
