package space

import (
	"math"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// statusVariables are ServerStatus and what it consists of (OPC 10000-5, 7.6). What runs with the
// clock is live; State and ShutdownReason are replaced by SetDraining, so that watchers hear it.
func (s *Space) statusVariables() []variableRow {
	const component = id.BaseDataVariableType
	const status, build = id.Server_ServerStatus, id.Server_ServerStatus_BuildInfo
	b := s.build
	return []variableRow{
		{status, id.Server, id.ServerStatusType, "ServerStatus", id.ServerStatusDataType,
			live(func(now time.Time) any { return ua.NewExtensionObject(s.status(now)) })},
		{id.Server_ServerStatus_StartTime, status, component, "StartTime", id.UtcTime, s.info.Started},
		{id.Server_ServerStatus_CurrentTime, status, component, "CurrentTime", id.UtcTime,
			live(func(now time.Time) any { return now })},
		{id.Server_ServerStatus_State, status, component, "State", id.ServerState, int32(ua.ServerStateRunning)},
		{build, status, id.BuildInfoType, "BuildInfo", id.BuildInfo, ua.NewExtensionObject(b)},
		{id.Server_ServerStatus_BuildInfo_ProductURI, build, component, "ProductUri", id.String, b.ProductURI},
		{id.Server_ServerStatus_BuildInfo_ManufacturerName, build, component, "ManufacturerName", id.String, b.ManufacturerName},
		{id.Server_ServerStatus_BuildInfo_ProductName, build, component, "ProductName", id.String, b.ProductName},
		{id.Server_ServerStatus_BuildInfo_SoftwareVersion, build, component, "SoftwareVersion", id.String, b.SoftwareVersion},
		{id.Server_ServerStatus_BuildInfo_BuildNumber, build, component, "BuildNumber", id.String, b.BuildNumber},
		{id.Server_ServerStatus_BuildInfo_BuildDate, build, component, "BuildDate", id.UtcTime, b.BuildDate},
		{id.Server_ServerStatus_SecondsTillShutdown, status, component, "SecondsTillShutdown", id.UInt32,
			live(func(now time.Time) any { return s.secondsTillShutdown(now) })},
		{id.Server_ServerStatus_ShutdownReason, status, component, "ShutdownReason", id.LocalizedText, nullText},
	}
}

// status is the value of ServerStatus.
func (s *Space) status(now time.Time) *ua.ServerStatusDataType {
	return &ua.ServerStatusDataType{
		StartTime:           s.info.Started,
		CurrentTime:         now,
		State:               ua.ServerState(s.standard(id.Server_ServerStatus_State).Load().Value.Int()),
		BuildInfo:           s.build,
		SecondsTillShutdown: s.secondsTillShutdown(now),
		ShutdownReason:      s.standard(id.Server_ServerStatus_ShutdownReason).Load().Value.LocalizedText(),
	}
}

// secondsTillShutdown are rounded up, so that 0 means that it is over; 0 also while nothing is
// shut down.
func (s *Space) secondsTillShutdown(now time.Time) uint32 {
	at := s.closesAt.Load()
	if at == nil || !at.After(now) {
		return 0
	}
	return uint32(min(math.Ceil(at.Sub(now).Seconds()), math.MaxUint32))
}

// SetDraining makes ServerStatus say Shutdown instead of Running, and how long it takes.
func (s *Space) SetDraining(remaining time.Duration) {
	at := time.Now().Add(remaining)
	s.closesAt.Store(&at)
	reason := ua.NewLocalizedText("The server is being shut down; what is held is brought to its end.")
	s.standard(id.Server_ServerStatus_ShutdownReason).Store(&ua.DataValue{Value: ua.MustVariant(reason)})
	s.standard(id.Server_ServerStatus_State).Store(&ua.DataValue{Value: ua.MustVariant(int32(ua.ServerStateShutdown))})
}
