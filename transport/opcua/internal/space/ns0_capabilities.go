package space

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// capabilities are the properties of ServerCapabilities (OPC 10000-5, 6.3.2). There are neither
// queries, history nor software certificates.
func (s *Space) capabilities() []variableRow {
	const parent, property = id.Server_ServerCapabilities, id.PropertyType
	i := &s.info
	return stated([]variableRow{
		{id.Server_ServerCapabilities_ServerProfileArray, parent, property, "ServerProfileArray", id.String, i.profiles()},
		{id.Server_ServerCapabilities_LocaleIDArray, parent, property, "LocaleIdArray", id.LocaleID, []string{"en"}},
		{id.Server_ServerCapabilities_MinSupportedSampleRate, parent, property, "MinSupportedSampleRate", id.Duration, i.MinSupportedSampleRate},
		{id.Server_ServerCapabilities_MaxBrowseContinuationPoints, parent, property, "MaxBrowseContinuationPoints", id.UInt16, i.MaxBrowseContinuationPoints},
		{id.Server_ServerCapabilities_MaxQueryContinuationPoints, parent, property, "MaxQueryContinuationPoints", id.UInt16, uint16(0)},
		{id.Server_ServerCapabilities_MaxHistoryContinuationPoints, parent, property, "MaxHistoryContinuationPoints", id.UInt16, uint16(0)},
		{id.Server_ServerCapabilities_SoftwareCertificates, parent, property, "SoftwareCertificates", id.SignedSoftwareCertificate, []*ua.ExtensionObject{}},
		{id.Server_ServerCapabilities_MaxArrayLength, parent, property, "MaxArrayLength", id.UInt32, i.MaxArrayLength},
		{id.Server_ServerCapabilities_MaxStringLength, parent, property, "MaxStringLength", id.UInt32, i.MaxStringLength},
		{id.Server_ServerCapabilities_MaxByteStringLength, parent, property, "MaxByteStringLength", id.UInt32, i.MaxByteStringLength},
		{id.Server_ServerCapabilities_MaxSessions, parent, property, "MaxSessions", id.UInt32, i.MaxSessions},
		{id.Server_ServerCapabilities_MaxSubscriptions, parent, property, "MaxSubscriptions", id.UInt32, i.MaxSubscriptions},
		{id.Server_ServerCapabilities_MaxSubscriptionsPerSession, parent, property, "MaxSubscriptionsPerSession", id.UInt32, i.MaxSubscriptionsPerSession},
		{id.Server_ServerCapabilities_MaxMonitoredItems, parent, property, "MaxMonitoredItems", id.UInt32, i.MaxMonitoredItems},
		{id.Server_ServerCapabilities_MaxMonitoredItemsPerSubscription, parent, property, "MaxMonitoredItemsPerSubscription", id.UInt32, i.MaxMonitoredItemsPerSubscription},
		{id.Server_ServerCapabilities_MaxMonitoredItemsQueueSize, parent, property, "MaxMonitoredItemsQueueSize", id.UInt32, i.MaxMonitoredItemsQueueSize},
	})
}

// operationLimits are the properties of OperationLimits (OPC 10000-5, 6.3.11). Services that do not
// exist have none.
func (s *Space) operationLimits() []variableRow {
	const parent, property = id.Server_ServerCapabilities_OperationLimits, id.PropertyType
	i := &s.info
	return stated([]variableRow{
		{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead, parent, property, "MaxNodesPerRead", id.UInt32, i.MaxNodesPerRead},
		{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite, parent, property, "MaxNodesPerWrite", id.UInt32, i.MaxNodesPerWrite},
		{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerMethodCall, parent, property, "MaxNodesPerMethodCall", id.UInt32, i.MaxNodesPerMethodCall},
		{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse, parent, property, "MaxNodesPerBrowse", id.UInt32, i.MaxNodesPerBrowse},
		{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerRegisterNodes, parent, property, "MaxNodesPerRegisterNodes", id.UInt32, i.MaxNodesPerRegister},
		{id.Server_ServerCapabilities_OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIDs, parent, property,
			"MaxNodesPerTranslateBrowsePathsToNodeIds", id.UInt32, i.MaxNodesPerTranslate},
		{id.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall, parent, property, "MaxMonitoredItemsPerCall", id.UInt32, i.MaxMonitoredItemsPerCall},
	})
}
