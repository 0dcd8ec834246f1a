package rawclient

import (
	"cmp"
	"context"
	"crypto/rsa"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Options of a client. Zero values of limits and times mean their defaults.
type Options struct {
	// Endpoint is the URL that is told to the server, opc.tcp://host:port/path. Required.
	Endpoint string
	// Connect makes the connection. nil: TCP to the host and port of Endpoint.
	Connect func(ctx context.Context) (net.Conn, error)
	// Policy is a policy's URI (ua.SecurityPolicyURI…). Empty: None.
	Policy string
	// Mode is required if there is a policy but None.
	Mode ua.MessageSecurityMode
	// Certificate (DER) and Key are the client's; required if there is a policy but None.
	Certificate []byte
	Key         *rsa.PrivateKey
	// ServerCertificate is DER. nil: the server is asked for it, on a connection of its own.
	ServerCertificate []byte
	// ApplicationURI stands in the client's certificate.
	ApplicationURI string
	// Deliver takes the responses that nobody waits for, on the reader, perhaps before Send has
	// returned their id. nil: they are dropped.
	Deliver func(Response)
	// NoWait makes sending fail with [ErrFull] rather than wait while 1 MiB waits to be written.
	NoWait bool

	Lifetime      time.Duration // of a token, as asked for; 1 h
	Timeout       time.Duration // of connecting, from the first packet to the open channel; 10 s
	WriteTimeout  time.Duration // of each write; 10 s
	ReceiveBuffer int           // bytes of a chunk; 65 535
	SendBuffer    int           // bytes of a chunk; 65 535
	MaxMessage    int           // bytes of a response; 64 MiB
}

func (o Options) withDefaults() (Options, error) {
	o.Policy = cmp.Or(o.Policy, ua.SecurityPolicyURINone)
	o.Mode = cmp.Or(o.Mode, ua.MessageSecurityModeNone)
	o.Lifetime = cmp.Or(o.Lifetime, time.Hour)
	o.Timeout = cmp.Or(o.Timeout, 10*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 10*time.Second)
	o.ReceiveBuffer = cmp.Or(o.ReceiveBuffer, 65_535)
	o.SendBuffer = cmp.Or(o.SendBuffer, 65_535)
	o.MaxMessage = cmp.Or(o.MaxMessage, 64<<20)
	if (o.Policy == ua.SecurityPolicyURINone) != (o.Mode == ua.MessageSecurityModeNone) {
		return o, fmt.Errorf("rawclient: policy %s does not go with mode %v", o.Policy, o.Mode)
	}
	if o.Mode != ua.MessageSecurityModeNone && (o.Key == nil || o.Certificate == nil) {
		return o, fmt.Errorf("rawclient: policy %s needs a certificate and a key", o.Policy)
	}
	if o.Connect == nil {
		u, err := url.Parse(o.Endpoint)
		if err != nil || u.Scheme != "opc.tcp" || u.Host == "" {
			return o, fmt.Errorf("rawclient: endpoint %q is not opc.tcp://host:port/path", o.Endpoint)
		}
		o.Connect = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", u.Host)
		}
	}
	return o, nil
}
