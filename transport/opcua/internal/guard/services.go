package guard

import (
	"fmt"
	"reflect"
	"time"

	"github.com/gopcua/opcua/ua"
)

// services are the requests that are decoded.
func services() []any {
	return []any{
		// OPC 10000-4 (1.05), 5.5 to 5.7: discovery, channels, sessions
		new(ua.FindServersRequest), new(ua.GetEndpointsRequest),
		new(ua.OpenSecureChannelRequest), new(ua.CloseSecureChannelRequest),
		new(ua.CreateSessionRequest), new(ua.ActivateSessionRequest), new(ua.CloseSessionRequest), new(ua.CancelRequest),
		// 5.9: view
		new(ua.BrowseRequest), new(ua.BrowseNextRequest), new(ua.TranslateBrowsePathsToNodeIDsRequest),
		new(ua.RegisterNodesRequest), new(ua.UnregisterNodesRequest),
		// 5.11, 5.12: attributes, methods
		new(ua.ReadRequest), new(ua.WriteRequest), new(ua.CallRequest),
		// 5.13: monitored items
		new(ua.CreateMonitoredItemsRequest), new(ua.ModifyMonitoredItemsRequest), new(ua.DeleteMonitoredItemsRequest),
		new(ua.SetMonitoringModeRequest),
		// 5.14: subscriptions
		new(ua.CreateSubscriptionRequest), new(ua.ModifySubscriptionRequest), new(ua.DeleteSubscriptionsRequest),
		new(ua.SetPublishingModeRequest), new(ua.PublishRequest), new(ua.RepublishRequest), new(ua.TransferSubscriptionsRequest),
	}
}

// structures are what ExtensionObjects may hold.
func structures() []any {
	return []any{
		// who a session is for
		new(ua.AnonymousIdentityToken), new(ua.UserNameIdentityToken), new(ua.X509IdentityToken), new(ua.IssuedIdentityToken),
		// filters of monitored items, and the operands in them
		new(ua.DataChangeFilter), new(ua.EventFilter), new(ua.AggregateFilter),
		new(ua.ElementOperand), new(ua.LiteralOperand), new(ua.AttributeOperand), new(ua.SimpleAttributeOperand),
		// an AdditionalHeader, and what it may hold
		new(ua.AdditionalParametersType), new(ua.EphemeralKeyType),
		// what variables and properties of others hold (OPC 10000-3, 8; 10000-8, 5.6)
		new(ua.Argument), new(ua.AxisInformation), new(ua.ComplexNumberType), new(ua.DoubleComplexNumberType),
		new(ua.EnumValueType), new(ua.EUInformation), new(ua.KeyValuePair), new(ua.Range),
		new(ua.TimeZoneDataType), new(ua.XVType),
	}
}

// compileServices asks the codec for the type ids, so that they mean the same to both.
func compileServices(c compiler) map[uint32]*program {
	programs := make(map[uint32]*program)
	for _, v := range services() {
		id := uint32(ua.ServiceTypeID(v))
		if id == 0 {
			panic(fmt.Sprintf("guard: the codec does not know the service %T", v))
		}
		programs[id] = c.compile(reflect.TypeOf(v))
	}
	return programs
}

func compileStructures(c compiler) map[uint32]*program {
	programs := make(map[uint32]*program)
	for _, v := range structures() {
		id := ua.ExtensionObjectTypeID(v).NodeID
		if id.IntID() == 0 || id.Namespace() != 0 {
			panic(fmt.Sprintf("guard: the codec does not know the structure %T", v))
		}
		programs[id.IntID()] = c.compile(reflect.TypeOf(v))
	}
	return programs
}

// lastBuiltin is the largest type id of OPC 10000-6, 5.1.2.
const lastBuiltin = ua.TypeIDDiagnosticInfo

// builtinTypes are the Go types that the codec makes of what Variants hold.
func builtinTypes() map[ua.TypeID]reflect.Type {
	return map[ua.TypeID]reflect.Type{
		ua.TypeIDBoolean:         reflect.TypeFor[bool](),
		ua.TypeIDSByte:           reflect.TypeFor[int8](),
		ua.TypeIDByte:            reflect.TypeFor[uint8](),
		ua.TypeIDInt16:           reflect.TypeFor[int16](),
		ua.TypeIDUint16:          reflect.TypeFor[uint16](),
		ua.TypeIDInt32:           reflect.TypeFor[int32](),
		ua.TypeIDUint32:          reflect.TypeFor[uint32](),
		ua.TypeIDInt64:           reflect.TypeFor[int64](),
		ua.TypeIDUint64:          reflect.TypeFor[uint64](),
		ua.TypeIDFloat:           reflect.TypeFor[float32](),
		ua.TypeIDDouble:          reflect.TypeFor[float64](),
		ua.TypeIDString:          reflect.TypeFor[string](),
		ua.TypeIDDateTime:        reflect.TypeFor[time.Time](),
		ua.TypeIDGUID:            reflect.TypeFor[*ua.GUID](),
		ua.TypeIDByteString:      reflect.TypeFor[[]byte](),
		ua.TypeIDXMLElement:      reflect.TypeFor[ua.XMLElement](),
		ua.TypeIDNodeID:          reflect.TypeFor[*ua.NodeID](),
		ua.TypeIDExpandedNodeID:  reflect.TypeFor[*ua.ExpandedNodeID](),
		ua.TypeIDStatusCode:      reflect.TypeFor[ua.StatusCode](),
		ua.TypeIDQualifiedName:   reflect.TypeFor[*ua.QualifiedName](),
		ua.TypeIDLocalizedText:   reflect.TypeFor[*ua.LocalizedText](),
		ua.TypeIDExtensionObject: reflect.TypeFor[*ua.ExtensionObject](),
		ua.TypeIDDataValue:       reflect.TypeFor[*ua.DataValue](),
		ua.TypeIDVariant:         reflect.TypeFor[*ua.Variant](),
		ua.TypeIDDiagnosticInfo:  reflect.TypeFor[*ua.DiagnosticInfo](),
	}
}
