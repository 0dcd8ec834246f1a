package space

import "github.com/gopcua/opcua/id"

// referenceTypes are the reference types of OPC 10000-3, 7 and OPC 10000-5, 11, each after its
// supertype. Invariant: at most 64, as a set of them is a uint64.
var referenceTypes = []typeRow{
	{id: id.References, name: "References", abstract: true, symmetric: true},
	{id: id.NonHierarchicalReferences, super: id.References, name: "NonHierarchicalReferences", abstract: true, symmetric: true},
	{id: id.HasModellingRule, super: id.NonHierarchicalReferences, name: "HasModellingRule", inverse: "ModellingRuleOf"},
	{id: id.HasEncoding, super: id.NonHierarchicalReferences, name: "HasEncoding", inverse: "EncodingOf"},
	{id: id.HasDescription, super: id.NonHierarchicalReferences, name: "HasDescription", inverse: "DescriptionOf"},
	{id: id.HasTypeDefinition, super: id.NonHierarchicalReferences, name: "HasTypeDefinition", inverse: "TypeDefinitionOf"},
	{id: id.GeneratesEvent, super: id.NonHierarchicalReferences, name: "GeneratesEvent", inverse: "GeneratedBy"},
	{id: id.AlwaysGeneratesEvent, super: id.GeneratesEvent, name: "AlwaysGeneratesEvent", inverse: "AlwaysGeneratedBy"},
	{id: id.FromState, super: id.NonHierarchicalReferences, name: "FromState", inverse: "ToTransition"},
	{id: id.ToState, super: id.NonHierarchicalReferences, name: "ToState", inverse: "FromTransition"},
	{id: id.HasCause, super: id.NonHierarchicalReferences, name: "HasCause", inverse: "MayBeCausedBy"},
	{id: id.HasEffect, super: id.NonHierarchicalReferences, name: "HasEffect", inverse: "MayBeEffectedBy"},
	{id: id.HasSubStateMachine, super: id.NonHierarchicalReferences, name: "HasSubStateMachine", inverse: "SubStateMachineOf"},
	{id: id.HasTrueSubState, super: id.NonHierarchicalReferences, name: "HasTrueSubState", inverse: "IsTrueSubStateOf"},
	{id: id.HasFalseSubState, super: id.NonHierarchicalReferences, name: "HasFalseSubState", inverse: "IsFalseSubStateOf"},
	{id: id.HasDictionaryEntry, super: id.NonHierarchicalReferences, name: "HasDictionaryEntry", inverse: "DictionaryEntryOf"},
	{id: id.HasInterface, super: id.NonHierarchicalReferences, name: "HasInterface", inverse: "InterfaceOf"},
	{id: id.AssociatedWith, super: id.NonHierarchicalReferences, name: "AssociatedWith", symmetric: true},
	{id: id.HierarchicalReferences, super: id.References, name: "HierarchicalReferences", abstract: true, inverse: "InverseHierarchicalReferences"},
	{id: id.HasChild, super: id.HierarchicalReferences, name: "HasChild", abstract: true, inverse: "ChildOf"},
	{id: id.Aggregates, super: id.HasChild, name: "Aggregates", abstract: true, inverse: "AggregatedBy"},
	{id: id.HasProperty, super: id.Aggregates, name: "HasProperty", inverse: "PropertyOf"},
	{id: id.HasComponent, super: id.Aggregates, name: "HasComponent", inverse: "ComponentOf"},
	{id: id.HasOrderedComponent, super: id.HasComponent, name: "HasOrderedComponent", inverse: "OrderedComponentOf"},
	{id: id.HasArgumentDescription, super: id.HasComponent, name: "HasArgumentDescription", inverse: "ArgumentDescriptionOf"},
	{id: id.HasOptionalInputArgumentDescription, super: id.HasArgumentDescription, name: "HasOptionalInputArgumentDescription", inverse: "OptionalInputArgumentDescriptionOf"},
	{id: id.HasAddIn, super: id.HasComponent, name: "HasAddIn", inverse: "AddInOf"},
	{id: id.HasHistoricalConfiguration, super: id.Aggregates, name: "HasHistoricalConfiguration", inverse: "HistoricalConfigurationOf"},
	{id: id.HasSubtype, super: id.HasChild, name: "HasSubtype", inverse: "SubtypeOf"},
	{id: id.Organizes, super: id.HierarchicalReferences, name: "Organizes", inverse: "OrganizedBy"},
	{id: id.HasEventSource, super: id.HierarchicalReferences, name: "HasEventSource", inverse: "EventSourceOf"},
	{id: id.HasNotifier, super: id.HasEventSource, name: "HasNotifier", inverse: "NotifierOf"},
}
