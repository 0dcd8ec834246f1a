package space

import "github.com/gopcua/opcua/ua"

// Node classes by what they have in common.
const (
	everyClass    = typeClasses | instances | ua.NodeClassMethod
	instances     = ua.NodeClassObject | ua.NodeClassVariable
	typeClasses   = ua.NodeClassObjectType | ua.NodeClassVariableType | ua.NodeClassReferenceType | ua.NodeClassDataType
	valued        = ua.NodeClassVariable | ua.NodeClassVariableType
	variables     = ua.NodeClassVariable
	methods       = ua.NodeClassMethod
	referenceType = ua.NodeClassReferenceType
)

// attributeClasses tells which node classes have an attribute here (OPC 10000-3, 5.2 to 5.8).
// Those that are absent are optional and left out: a VariableType's Value, DataTypeDefinition,
// RolePermissions, UserRolePermissions and AccessRestrictions. There are no Views, so nothing
// has ContainsNoLoops.
var attributeClasses = [...]ua.NodeClass{
	ua.AttributeIDNodeID:                  everyClass,
	ua.AttributeIDNodeClass:               everyClass,
	ua.AttributeIDBrowseName:              everyClass,
	ua.AttributeIDDisplayName:             everyClass,
	ua.AttributeIDDescription:             everyClass,
	ua.AttributeIDWriteMask:               everyClass,
	ua.AttributeIDUserWriteMask:           everyClass,
	ua.AttributeIDIsAbstract:              typeClasses,
	ua.AttributeIDSymmetric:               referenceType,
	ua.AttributeIDInverseName:             referenceType,
	ua.AttributeIDEventNotifier:           ua.NodeClassObject,
	ua.AttributeIDValue:                   variables,
	ua.AttributeIDDataType:                valued,
	ua.AttributeIDValueRank:               valued,
	ua.AttributeIDArrayDimensions:         valued,
	ua.AttributeIDAccessLevel:             variables,
	ua.AttributeIDUserAccessLevel:         variables,
	ua.AttributeIDMinimumSamplingInterval: variables,
	ua.AttributeIDHistorizing:             variables,
	ua.AttributeIDExecutable:              methods,
	ua.AttributeIDUserExecutable:          methods,
	ua.AttributeIDAccessLevelEx:           variables,
}

// has says whether the node has an attribute.
func (n *Node) has(a ua.AttributeID) bool {
	if a >= ua.AttributeID(len(attributeClasses)) || attributeClasses[a]&n.Class == 0 {
		return false
	}
	// Symmetric reference types have the same name in both directions.
	return a != ua.AttributeIDInverseName || n.traits.inverse != ""
}

// attribute gives the value of an attribute that the node has, other than Value.
func (n *Node) attribute(a ua.AttributeID) any {
	switch a {
	case ua.AttributeIDNodeID:
		return n.ID
	case ua.AttributeIDNodeClass:
		return int32(n.Class)
	case ua.AttributeIDBrowseName:
		return n.BrowseName
	case ua.AttributeIDDisplayName:
		return n.displayName
	case ua.AttributeIDDescription:
		return n.description
	case ua.AttributeIDWriteMask, ua.AttributeIDUserWriteMask:
		return uint32(0)
	case ua.AttributeIDIsAbstract:
		return n.traits.abstract
	case ua.AttributeIDSymmetric:
		return n.traits.symmetric
	case ua.AttributeIDInverseName:
		return ua.NewLocalizedText(n.traits.inverse)
	case ua.AttributeIDEventNotifier:
		return byte(0) // nobody sends events
	case ua.AttributeIDExecutable, ua.AttributeIDUserExecutable:
		return true
	default:
		return n.variableAttribute(a)
	}
}

// variableAttribute is the part of Variables and VariableTypes.
func (n *Node) variableAttribute(a ua.AttributeID) any {
	switch a {
	case ua.AttributeIDDataType:
		return n.DataType
	case ua.AttributeIDValueRank:
		return n.ValueRank
	case ua.AttributeIDArrayDimensions:
		return n.dimensions()
	case ua.AttributeIDAccessLevel, ua.AttributeIDUserAccessLevel:
		return byte(n.accessLevel())
	case ua.AttributeIDAccessLevelEx:
		return uint32(n.accessLevel())
	case ua.AttributeIDMinimumSamplingInterval:
		return n.MinSampling
	default: // Historizing
		return false
	}
}

// dimensions are null for what is no array of a known number of dimensions, else the maximum
// length of each; 0: not limited (OPC 10000-3, 5.6.2).
func (n *Node) dimensions() []uint32 {
	if n.ValueRank <= 0 || n.ArrayDimensions != nil {
		return n.ArrayDimensions
	}
	return make([]uint32, n.ValueRank)
}

func (n *Node) accessLevel() ua.AccessLevelType {
	if n.Writable {
		return ua.AccessLevelTypeCurrentRead | ua.AccessLevelTypeCurrentWrite
	}
	return ua.AccessLevelTypeCurrentRead
}
