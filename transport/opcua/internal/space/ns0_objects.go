package space

import (
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// objectRow describes a standard object.
type objectRow struct {
	id, parent uint32 // parent 0: none
	reference  uint32 // from the parent
	definition uint32
	name       string
}

// objects are the standard objects, each after its parent (OPC 10000-5, 8).
var objects = []objectRow{
	{id.RootFolder, 0, 0, id.FolderType, "Root"},
	{id.ObjectsFolder, id.RootFolder, id.Organizes, id.FolderType, "Objects"},
	{id.TypesFolder, id.RootFolder, id.Organizes, id.FolderType, "Types"},
	{id.ViewsFolder, id.RootFolder, id.Organizes, id.FolderType, "Views"},
	{id.ObjectTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "ObjectTypes"},
	{id.VariableTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "VariableTypes"},
	{id.DataTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "DataTypes"},
	{id.ReferenceTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "ReferenceTypes"},
	{id.EventTypesFolder, id.TypesFolder, id.Organizes, id.FolderType, "EventTypes"},

	{id.Server, id.ObjectsFolder, id.Organizes, id.ServerType, "Server"},
	{id.Server_ServerCapabilities, id.Server, id.HasComponent, id.ServerCapabilitiesType, "ServerCapabilities"},
	{id.Server_ServerCapabilities_OperationLimits, id.Server_ServerCapabilities, id.HasComponent, id.OperationLimitsType, "OperationLimits"},
	{id.Server_ServerCapabilities_ModellingRules, id.Server_ServerCapabilities, id.HasComponent, id.FolderType, "ModellingRules"},
	{id.Server_ServerCapabilities_AggregateFunctions, id.Server_ServerCapabilities, id.HasComponent, id.FolderType, "AggregateFunctions"},
	{id.Server_ServerDiagnostics, id.Server, id.HasComponent, id.ServerDiagnosticsType, "ServerDiagnostics"},
	{id.Server_VendorServerInfo, id.Server, id.HasComponent, id.VendorServerInfoType, "VendorServerInfo"},
	{id.Server_ServerRedundancy, id.Server, id.HasComponent, id.ServerRedundancyType, "ServerRedundancy"},
	{id.Server_Namespaces, id.Server, id.HasComponent, id.NamespacesType, "Namespaces"},

	{id.Argument_Encoding_DefaultBinary, id.Argument, id.HasEncoding, id.DataTypeEncodingType, "Default Binary"},
	{id.BuildInfo_Encoding_DefaultBinary, id.BuildInfo, id.HasEncoding, id.DataTypeEncodingType, "Default Binary"},
	{id.Range_Encoding_DefaultBinary, id.Range, id.HasEncoding, id.DataTypeEncodingType, "Default Binary"},
	{id.ServerStatusDataType_Encoding_DefaultBinary, id.ServerStatusDataType, id.HasEncoding, id.DataTypeEncodingType, "Default Binary"},
}

// roots are what the folders of types begin with.
var roots = []struct{ folder, root uint32 }{
	{id.ObjectTypesFolder, id.BaseObjectType},
	{id.VariableTypesFolder, id.BaseVariableType},
	{id.DataTypesFolder, id.BaseDataType},
	{id.ReferenceTypesFolder, id.References},
	{id.EventTypesFolder, id.BaseEventType},
}

// addObjects adds the standard objects and their variables.
func (s *Space) addObjects() {
	for _, row := range objects {
		s.insert(s.standard(row.parent), row.reference, &Node{
			ID:         standardID(row.id),
			Class:      ua.NodeClassObject,
			BrowseName: &ua.QualifiedName{Name: row.name},
			definition: s.standard(row.definition),
		})
	}
	for _, r := range roots {
		link(s.standard(r.folder), s.standard(id.Organizes), s.standard(r.root))
	}
	s.addEnumStrings()
	s.addVariables(s.serverVariables())
	s.addVariables(s.statusVariables())
	s.addVariables(s.capabilities())
	s.addVariables(s.operationLimits())
}
