package service

import (
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
)

// The services of subscriptions and monitored items (OPC 10000-4, 5.13 and 5.14). Package
// subscription carries them out.

func (r *request) createSubscription() {
	var v ua.CreateSubscriptionRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().Create)
	}
}

func (r *request) modifySubscription() {
	var v ua.ModifySubscriptionRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().Modify)
	}
}

func (r *request) deleteSubscriptions() {
	var v ua.DeleteSubscriptionsRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().Delete)
	}
}

func (r *request) setPublishingMode() {
	var v ua.SetPublishingModeRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().SetPublishingMode)
	}
}

func (r *request) republish() {
	var v ua.RepublishRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().Republish)
	}
}

func (r *request) transferSubscriptions() {
	var v ua.TransferSubscriptionsRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().Transfer)
	}
}

func (r *request) createItems() {
	var v ua.CreateMonitoredItemsRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().CreateItems)
	}
}

func (r *request) modifyItems() {
	var v ua.ModifyMonitoredItemsRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().ModifyItems)
	}
}

func (r *request) deleteItems() {
	var v ua.DeleteMonitoredItemsRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().DeleteItems)
	}
}

func (r *request) setMonitoringMode() {
	var v ua.SetMonitoringModeRequest
	if r.decode(&v) {
		respondTo(r, &v, r.client.subscriptions().SetMonitoringMode)
	}
}

// respondTo answers with what a service of the subscriptions says.
func respondTo[Request any, Response ua.Response](r *request, v *Request, serve func(*Request) (Response, ua.StatusCode)) {
	response, status := serve(v)
	r.answer(response, status)
}

// publish hands a Publish request over. The request outlives this call, and with it nothing but
// what the response needs.
func (r *request) publish() {
	var v ua.PublishRequest
	if !r.decode(&v) {
		return
	}
	later := &request{service: r.service, channel: r.channel, id: r.id, header: r.header, entry: r.entry}
	later.header.token = nil
	own, over := r.client.session, session.Channel(r.channel)
	bound := func() bool { return own.Channel() == over }
	r.client.subscriptions().Publish(&v, r.header.timeout, bound, func(response *ua.PublishResponse, status ua.StatusCode) {
		later.answer(response, status)
	})
}
