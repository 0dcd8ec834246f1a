package space

import "github.com/gopcua/opcua/id"

// variableTypes are the variable types of OPC 10000-5, 7 and OPC 10000-8, 5, each after its supertype.
var variableTypes = []typeRow{
	{id: id.BaseVariableType, name: "BaseVariableType", abstract: true, dataType: id.BaseDataType, rank: anyRank},
	{id: id.BaseDataVariableType, super: id.BaseVariableType, name: "BaseDataVariableType", dataType: id.BaseDataType, rank: anyRank},
	{id: id.ServerVendorCapabilityType, super: id.BaseDataVariableType, name: "ServerVendorCapabilityType", abstract: true, dataType: id.BaseDataType, rank: scalar},
	{id: id.ServerStatusType, super: id.BaseDataVariableType, name: "ServerStatusType", dataType: id.ServerStatusDataType, rank: scalar},
	{id: id.ServerDiagnosticsSummaryType, super: id.BaseDataVariableType, name: "ServerDiagnosticsSummaryType", dataType: id.ServerDiagnosticsSummaryDataType, rank: scalar},
	{id: id.SamplingIntervalDiagnosticsArrayType, super: id.BaseDataVariableType, name: "SamplingIntervalDiagnosticsArrayType", dataType: id.SamplingIntervalDiagnosticsDataType, rank: 1},
	{id: id.SamplingIntervalDiagnosticsType, super: id.BaseDataVariableType, name: "SamplingIntervalDiagnosticsType", dataType: id.SamplingIntervalDiagnosticsDataType, rank: scalar},
	{id: id.SubscriptionDiagnosticsArrayType, super: id.BaseDataVariableType, name: "SubscriptionDiagnosticsArrayType", dataType: id.SubscriptionDiagnosticsDataType, rank: 1},
	{id: id.SubscriptionDiagnosticsType, super: id.BaseDataVariableType, name: "SubscriptionDiagnosticsType", dataType: id.SubscriptionDiagnosticsDataType, rank: scalar},
	{id: id.SessionDiagnosticsArrayType, super: id.BaseDataVariableType, name: "SessionDiagnosticsArrayType", dataType: id.SessionDiagnosticsDataType, rank: 1},
	{id: id.SessionDiagnosticsVariableType, super: id.BaseDataVariableType, name: "SessionDiagnosticsVariableType", dataType: id.SessionDiagnosticsDataType, rank: scalar},
	{id: id.SessionSecurityDiagnosticsArrayType, super: id.BaseDataVariableType, name: "SessionSecurityDiagnosticsArrayType", dataType: id.SessionSecurityDiagnosticsDataType, rank: 1},
	{id: id.SessionSecurityDiagnosticsType, super: id.BaseDataVariableType, name: "SessionSecurityDiagnosticsType", dataType: id.SessionSecurityDiagnosticsDataType, rank: scalar},
	{id: id.DataItemType, super: id.BaseDataVariableType, name: "DataItemType", dataType: id.BaseDataType, rank: anyRank},
	{id: id.DiscreteItemType, super: id.DataItemType, name: "DiscreteItemType", abstract: true, dataType: id.BaseDataType, rank: anyRank},
	{id: id.TwoStateDiscreteType, super: id.DiscreteItemType, name: "TwoStateDiscreteType", dataType: id.Boolean, rank: anyRank},
	{id: id.MultiStateDiscreteType, super: id.DiscreteItemType, name: "MultiStateDiscreteType", dataType: id.UInteger, rank: anyRank},
	{id: id.BaseAnalogType, super: id.DataItemType, name: "BaseAnalogType", dataType: id.Number, rank: anyRank},
	{id: id.AnalogItemType, super: id.BaseAnalogType, name: "AnalogItemType", dataType: id.Number, rank: anyRank},
	{id: id.AnalogUnitRangeType, super: id.AnalogItemType, name: "AnalogUnitRangeType", dataType: id.Number, rank: anyRank},
	{id: id.BuildInfoType, super: id.BaseDataVariableType, name: "BuildInfoType", dataType: id.BuildInfo, rank: scalar},
	{id: id.PropertyType, super: id.BaseVariableType, name: "PropertyType", dataType: id.BaseDataType, rank: anyRank},
}
