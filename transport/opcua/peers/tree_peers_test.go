//go:build peers

package peers

import (
	"fmt"
	"time"

	"github.com/flowsync-go/flowsync/transport/opcua"
)

// timeouts are the timeouts of nodes by path. What is not here has the default.
var timeouts = map[string]time.Duration{
	"line.slow":    300 * time.Millisecond,
	"line.patient": time.Minute,
	"speed":        time.Minute,
}

// Every data type that arguments and variables may have.
var dataTypes = []string{
	"Boolean", "SByte", "Byte", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float", "Double",
	"String", "DateTime", "Guid", "ByteString", "LocalizedText", "QualifiedName",
}

// inArrays says whether there can be arrays of a type.
func inArrays(typ string) bool { return typ != "ByteString" }

func dataType(name string, rank int) opcua.DataType {
	t, err := opcua.ParseDataType(name, rank)
	if err != nil {
		panic(err)
	}
	return t
}

func argument(name, typ string) opcua.Argument {
	return opcua.Argument{Name: name, DataType: dataType(typ, -1)}
}

// everything is a method that has an input and an output of each type, scalar and array.
func everything() *opcua.Node {
	m := &opcua.Node{Class: opcua.Method, BrowseName: "everything", Transaction: &opcua.Transaction{}}
	for _, typ := range dataTypes {
		m.Inputs = append(m.Inputs, opcua.Argument{Name: typ, DataType: dataType(typ, -1)})
		if inArrays(typ) {
			m.Inputs = append(m.Inputs, opcua.Argument{Name: typ + "s", DataType: dataType(typ, 1)})
		}
	}
	m.Outputs = m.Inputs
	return m
}

// tree is the plant: variables at the root, methods under "line".
func tree() *opcua.Node {
	order := []opcua.Argument{argument("order", "String"), argument("amount", "Int32")}
	echoed := []opcua.Argument{argument("n", "Int32")}
	line := &opcua.Node{
		Class: opcua.Object, BrowseName: "line", DisplayName: "Line 1", Description: "where orders go",
		Children: []*opcua.Node{
			{Class: opcua.Method, BrowseName: "mayStart", Description: "asks whether an order may start", Inputs: order,
				Outputs: []opcua.Argument{argument("go", "Boolean"), argument("text", "String")}, Transaction: &opcua.Transaction{}},
			{Class: opcua.Method, BrowseName: "slow", Inputs: echoed, Outputs: echoed, Transaction: &opcua.Transaction{}},
			{Class: opcua.Method, BrowseName: "patient", Inputs: echoed, Outputs: echoed, Transaction: &opcua.Transaction{}},
			{Class: opcua.Method, BrowseName: "own", Outputs: echoed, Transaction: &opcua.Transaction{TimeoutStatus: 0x80850000}}, // BadRequestTimeout
			everything(),
		},
	}
	return &opcua.Node{
		Class: opcua.Object, BrowseName: "plant",
		Children: []*opcua.Node{
			line,
			{Class: opcua.Variable, BrowseName: "speed", DataType: dataType("Double", -1), Initial: []byte("1.5"), Transaction: &opcua.Transaction{}},
			{Class: opcua.Variable, BrowseName: "levels", DataType: dataType("Double", 1), Initial: []byte("[1,2,3]"), Transaction: &opcua.Transaction{}},
			{Class: opcua.Variable, BrowseName: "counter", DataType: dataType("Int32", -1), Initial: []byte("7")},
			{Class: opcua.Variable, BrowseName: "fixed", DataType: dataType("String", -1), Initial: []byte(`"as delivered"`)},
			{Class: opcua.Variable, BrowseName: "empty", DataType: dataType("String", -1)},
			{Class: opcua.Variable, BrowseName: "setpoint", DataType: dataType("Double", -1), Receive: func([]byte) error { return nil }},
		},
	}
}

// bigTree is a tree with n variables.
func bigTree(n int) *opcua.Node {
	root := &opcua.Node{Class: opcua.Object, BrowseName: "plant"}
	for i := range n {
		root.Children = append(root.Children, &opcua.Node{
			Class: opcua.Variable, BrowseName: fmt.Sprint("v", i), DataType: dataType("Int32", -1), Initial: fmt.Append(nil, i),
		})
	}
	return root
}
