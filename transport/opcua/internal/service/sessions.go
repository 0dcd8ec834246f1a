package service

import (
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
)

// MaxRequest is how large a request may be, in bytes: what a session is told.
const MaxRequest = 2 << 20

// createSession carries out a CreateSession (OPC 10000-4, 5.6.2).
func (r *request) createSession() {
	var v ua.CreateSessionRequest
	if !r.decode(&v) {
		return
	}
	d := &r.service.options.Discovery
	if !d.allows(r.channel.Policy(), r.channel.Mode()) { // it was let in to ask for endpoints
		r.fault(ua.StatusBadSecurityModeInsufficient)
		return
	}
	own, status := r.service.sessions.Create(r.channel, &v)
	if status != ua.StatusOK {
		r.fault(status)
		return
	}
	signature, err := r.service.sessions.Sign(r.channel, v.ClientCertificate, v.ClientNonce)
	if err != nil {
		r.service.sessions.End(own, ua.StatusBadSessionClosed, true)
		r.fault(ua.StatusBadSecurityChecksFailed)
		return
	}
	r.respond(&ua.CreateSessionResponse{
		SessionID:             own.ID,
		AuthenticationToken:   own.Token(),
		RevisedSessionTimeout: float64(own.Timeout()) / float64(time.Millisecond),
		ServerNonce:           own.Nonce(),
		ServerCertificate:     d.Certificate,
		ServerEndpoints:       d.endpoints(r.endpointURL(v.EndpointURL)),
		ServerSignature:       signature,
		MaxRequestMessageSize: MaxRequest,
	})
}

// activateSession carries out an ActivateSession (5.6.3). What the session holds for another
// channel, it holds no longer: the answers could not reach the client. Nor could what its Publish
// requests over there would be answered with.
func (r *request) activateSession() {
	var v ua.ActivateSessionRequest
	if !r.decode(&v) {
		return
	}
	own, rebound, status := r.service.sessions.Activate(r.channel, r.header.token, &v)
	if status != ua.StatusOK {
		r.fault(status)
		if session.IsRefusedLogin(status) {
			r.channel.LoginFailed(session.UserName(v.UserIdentityToken), status)
		}
		return
	}
	r.channel.Prove()
	c := clientOf(own)
	c.activate(identity(own, r.channel.Mode()))
	if rebound {
		c.cancel(ua.StatusBadSecureChannelClosed, func(h *held) bool { return h.channel != r.channel })
		c.subscriptions().EndPublish(ua.StatusBadSecureChannelClosed)
	}
	r.respond(&ua.ActivateSessionResponse{ServerNonce: own.Nonce()})
}

// identity is what subscriptions are transferred by (5.14.7): the user; of nameless clients the
// application, if a signature proves which it is. Others keep theirs to themselves.
func identity(own *session.Session, mode ua.MessageSecurityMode) string {
	switch {
	case own.User() != "":
		return "user " + own.User()
	case mode != ua.MessageSecurityModeNone:
		return "application " + own.Application
	default:
		return "session " + own.ID.String()
	}
}

// closeSession carries out a CloseSession (5.6.4). It may come before the session was activated.
func (r *request) closeSession() {
	var v ua.CloseSessionRequest
	if !r.decode(&v) {
		return
	}
	own, status := r.service.sessions.Unactivated(r.channel, r.header.token)
	if status != ua.StatusOK {
		r.fault(status)
		return
	}
	r.service.sessions.End(own, ua.StatusBadSessionClosed, v.DeleteSubscriptions)
	r.respond(&ua.CloseSessionResponse{})
}

// cancel carries out a Cancel (5.6.5): requests with the handle end with a fault.
func (r *request) cancel() {
	var v ua.CancelRequest
	if !r.decode(&v) {
		return
	}
	n := r.client.cancel(ua.StatusBadRequestCancelledByClient, func(h *held) bool { return h.handle == v.RequestHandle })
	n += r.client.subscriptions().CancelPublish(v.RequestHandle)
	r.respond(&ua.CancelResponse{CancelCount: uint32(n)})
}
