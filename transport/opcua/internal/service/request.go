package service

import (
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/channel"
)

// serviceFault is the type id of a ServiceFault.
const serviceFault = id.ServiceFault_Encoding_DefaultBinary

// request is one request while it is carried out.
type request struct {
	service *Service
	channel *channel.Channel
	client  *client // nil: the service needs no session
	id      uint32
	header  header
	entry   entry
	body    []byte    // the structure
	rest    []byte    // of it, behind the header
	began   time.Time // to be carried out, if it has several items
}

// entry is a row of the table of services.
type entry struct {
	response uint16 // its type id
	session  bool   // it needs one
	run      func(*request)
}

// entries is the table of services, by the type id of the request. The guard lets these through.
func (s *Service) entries() map[uint16]entry {
	return map[uint16]entry{
		id.FindServersRequest_Encoding_DefaultBinary:  {id.FindServersResponse_Encoding_DefaultBinary, false, (*request).findServers},
		id.GetEndpointsRequest_Encoding_DefaultBinary: {id.GetEndpointsResponse_Encoding_DefaultBinary, false, (*request).getEndpoints},

		id.CreateSessionRequest_Encoding_DefaultBinary:   {id.CreateSessionResponse_Encoding_DefaultBinary, false, (*request).createSession},
		id.ActivateSessionRequest_Encoding_DefaultBinary: {id.ActivateSessionResponse_Encoding_DefaultBinary, false, (*request).activateSession},
		id.CloseSessionRequest_Encoding_DefaultBinary:    {id.CloseSessionResponse_Encoding_DefaultBinary, false, (*request).closeSession},
		id.CancelRequest_Encoding_DefaultBinary:          {id.CancelResponse_Encoding_DefaultBinary, true, (*request).cancel},

		id.ReadRequest_Encoding_DefaultBinary:  {id.ReadResponse_Encoding_DefaultBinary, true, (*request).read},
		id.WriteRequest_Encoding_DefaultBinary: {id.WriteResponse_Encoding_DefaultBinary, true, (*request).write},
		id.CallRequest_Encoding_DefaultBinary:  {id.CallResponse_Encoding_DefaultBinary, true, (*request).call},

		id.BrowseRequest_Encoding_DefaultBinary:                        {id.BrowseResponse_Encoding_DefaultBinary, true, (*request).browse},
		id.BrowseNextRequest_Encoding_DefaultBinary:                    {id.BrowseNextResponse_Encoding_DefaultBinary, true, (*request).browseNext},
		id.TranslateBrowsePathsToNodeIDsRequest_Encoding_DefaultBinary: {id.TranslateBrowsePathsToNodeIDsResponse_Encoding_DefaultBinary, true, (*request).translate},
		id.RegisterNodesRequest_Encoding_DefaultBinary:                 {id.RegisterNodesResponse_Encoding_DefaultBinary, true, (*request).registerNodes},
		id.UnregisterNodesRequest_Encoding_DefaultBinary:               {id.UnregisterNodesResponse_Encoding_DefaultBinary, true, (*request).unregisterNodes},

		id.CreateSubscriptionRequest_Encoding_DefaultBinary:    {id.CreateSubscriptionResponse_Encoding_DefaultBinary, true, (*request).createSubscription},
		id.ModifySubscriptionRequest_Encoding_DefaultBinary:    {id.ModifySubscriptionResponse_Encoding_DefaultBinary, true, (*request).modifySubscription},
		id.DeleteSubscriptionsRequest_Encoding_DefaultBinary:   {id.DeleteSubscriptionsResponse_Encoding_DefaultBinary, true, (*request).deleteSubscriptions},
		id.SetPublishingModeRequest_Encoding_DefaultBinary:     {id.SetPublishingModeResponse_Encoding_DefaultBinary, true, (*request).setPublishingMode},
		id.PublishRequest_Encoding_DefaultBinary:               {id.PublishResponse_Encoding_DefaultBinary, true, (*request).publish},
		id.RepublishRequest_Encoding_DefaultBinary:             {id.RepublishResponse_Encoding_DefaultBinary, true, (*request).republish},
		id.TransferSubscriptionsRequest_Encoding_DefaultBinary: {id.TransferSubscriptionsResponse_Encoding_DefaultBinary, true, (*request).transferSubscriptions},
		id.CreateMonitoredItemsRequest_Encoding_DefaultBinary:  {id.CreateMonitoredItemsResponse_Encoding_DefaultBinary, true, (*request).createItems},
		id.ModifyMonitoredItemsRequest_Encoding_DefaultBinary:  {id.ModifyMonitoredItemsResponse_Encoding_DefaultBinary, true, (*request).modifyItems},
		id.DeleteMonitoredItemsRequest_Encoding_DefaultBinary:  {id.DeleteMonitoredItemsResponse_Encoding_DefaultBinary, true, (*request).deleteItems},
		id.SetMonitoringModeRequest_Encoding_DefaultBinary:     {id.SetMonitoringModeResponse_Encoding_DefaultBinary, true, (*request).setMonitoringMode},
	}
}

// decode reads the request with the codec; false, and a fault, if it cannot be read after all.
func (r *request) decode(into any) bool {
	if _, err := ua.Decode(r.body, into); err != nil {
		r.fault(ua.StatusBadDecodingError)
		return false
	}
	return true
}

// fault answers the request as a whole.
func (r *request) fault(status ua.StatusCode) {
	r.channel.Send(r.id, appendHeader(make([]byte, 0, 64), serviceFault, r.header.handle, status))
}

// respond answers with a response, which the codec writes.
func (r *request) respond(v ua.Response) {
	body, err := encodeResponse(r.entry.response, r.header.handle, v)
	if err != nil {
		r.service.options.Logger.Error("OPC UA response cannot be encoded", "error", err)
		r.fault(ua.StatusBadEncodingError)
		return
	}
	r.channel.Send(r.id, body)
}

// answer answers with a response, or with a fault if the status is Bad.
func (r *request) answer(v ua.Response, status ua.StatusCode) {
	if status != ua.StatusOK {
		r.fault(status)
		return
	}
	r.respond(v)
}

// many judges the number of items in a request; false, and a fault, if there are none or too many.
func (r *request) many(n, most int) bool {
	switch {
	case n == 0:
		r.fault(ua.StatusBadNothingToDo)
	case n > most:
		r.fault(ua.StatusBadTooManyOperations)
	default:
		return true
	}
	return false
}
