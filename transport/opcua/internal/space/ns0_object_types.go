package space

import "github.com/gopcua/opcua/id"

// objectTypes are the object types of OPC 10000-5, 6 that the standard objects have, and what they
// derive from, each after its supertype.
var objectTypes = []typeRow{
	{id: id.BaseObjectType, name: "BaseObjectType"},
	{id: id.FolderType, super: id.BaseObjectType, name: "FolderType"},
	{id: id.OperationLimitsType, super: id.FolderType, name: "OperationLimitsType"},
	{id: id.DataTypeSystemType, super: id.BaseObjectType, name: "DataTypeSystemType"},
	{id: id.DataTypeEncodingType, super: id.BaseObjectType, name: "DataTypeEncodingType"},
	{id: id.ModellingRuleType, super: id.BaseObjectType, name: "ModellingRuleType"},
	{id: id.ServerType, super: id.BaseObjectType, name: "ServerType"},
	{id: id.ServerCapabilitiesType, super: id.BaseObjectType, name: "ServerCapabilitiesType"},
	{id: id.ServerDiagnosticsType, super: id.BaseObjectType, name: "ServerDiagnosticsType"},
	{id: id.SessionsDiagnosticsSummaryType, super: id.BaseObjectType, name: "SessionsDiagnosticsSummaryType"},
	{id: id.SessionDiagnosticsObjectType, super: id.BaseObjectType, name: "SessionDiagnosticsObjectType"},
	{id: id.VendorServerInfoType, super: id.BaseObjectType, name: "VendorServerInfoType"},
	{id: id.ServerRedundancyType, super: id.BaseObjectType, name: "ServerRedundancyType"},
	{id: id.TransparentRedundancyType, super: id.ServerRedundancyType, name: "TransparentRedundancyType"},
	{id: id.NonTransparentRedundancyType, super: id.ServerRedundancyType, name: "NonTransparentRedundancyType"},
	{id: id.BaseEventType, super: id.BaseObjectType, name: "BaseEventType", abstract: true},
	{id: id.AggregateFunctionType, super: id.BaseObjectType, name: "AggregateFunctionType"},
	{id: id.NamespaceMetadataType, super: id.BaseObjectType, name: "NamespaceMetadataType"},
	{id: id.NamespacesType, super: id.BaseObjectType, name: "NamespacesType"},
}
