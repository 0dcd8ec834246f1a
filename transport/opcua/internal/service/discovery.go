package service

import (
	"net/url"

	"github.com/gopcua/opcua/ua"
	"github.com/gopcua/opcua/uapolicy"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
)

// Discovery is what endpoints say of the server (OPC 10000-4, 5.4).
type Discovery struct {
	ApplicationURI  string
	ProductURI      string
	ApplicationName string
	Path            string // of the endpoint URL
	Certificate     []byte // DER; nil: there is none
	Security        []Security
	Anonymous       bool
	UserName        bool
}

// Security is a policy with a mode that sessions may use.
type Security struct {
	PolicyURI string
	Mode      ua.MessageSecurityMode
}

// binaryTransport is the profile of what is spoken here (OPC 10000-7).
const binaryTransport = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"

// allows says whether sessions may use a policy with a mode.
func (d *Discovery) allows(policyURI string, mode ua.MessageSecurityMode) bool {
	for _, s := range d.Security {
		if s.PolicyURI == policyURI && s.Mode == mode {
			return true
		}
	}
	return false
}

// maxURL bounds an endpoint URL, in bytes (OPC 10000-6, 7.1.2.3).
const maxURL = 4096

// endpointURL is the URL under which a client reaches us: host and port are those that it has used, as
// only it knows what stands between us.
func (r *request) endpointURL(asked string) string {
	own := url.URL{Scheme: "opc.tcp", Host: r.channel.LocalAddr().String(), Path: r.service.options.Discovery.Path}
	for _, text := range []string{asked, r.channel.EndpointURL()} {
		u, err := url.Parse(text)
		if err == nil && len(text) <= maxURL && u.Scheme == "opc.tcp" && u.Hostname() != "" {
			own.Host = u.Host
			break
		}
	}
	return own.String()
}

// application describes the server.
func (d *Discovery) application(endpointURL string) *ua.ApplicationDescription {
	return &ua.ApplicationDescription{
		ApplicationURI:  d.ApplicationURI,
		ProductURI:      d.ProductURI,
		ApplicationName: ua.NewLocalizedText(d.ApplicationName),
		ApplicationType: ua.ApplicationTypeServer,
		DiscoveryURLs:   []string{endpointURL},
	}
}

// endpoints describes how sessions may be had.
func (d *Discovery) endpoints(endpointURL string) []*ua.EndpointDescription {
	endpoints := make([]*ua.EndpointDescription, len(d.Security))
	for i, s := range d.Security {
		endpoints[i] = &ua.EndpointDescription{
			EndpointURL:         endpointURL,
			Server:              d.application(endpointURL),
			ServerCertificate:   d.Certificate,
			SecurityMode:        s.Mode,
			SecurityPolicyURI:   s.PolicyURI,
			UserIdentityTokens:  d.tokens(s),
			TransportProfileURI: binaryTransport,
			SecurityLevel:       uapolicy.SecurityLevel(s.PolicyURI, s.Mode),
		}
	}
	return endpoints
}

// tokens describes who may log in, and how a password is encrypted: with the policy of the
// channel, or, where that is None, with Basic256Sha256.
func (d *Discovery) tokens(s Security) []*ua.UserTokenPolicy {
	var tokens []*ua.UserTokenPolicy
	if d.Anonymous {
		tokens = append(tokens, &ua.UserTokenPolicy{PolicyID: session.AnonymousPolicy, TokenType: ua.UserTokenTypeAnonymous})
	}
	if d.UserName {
		policy := ""
		if s.PolicyURI == ua.SecurityPolicyURINone {
			policy = ua.SecurityPolicyURIBasic256Sha256
		}
		tokens = append(tokens, &ua.UserTokenPolicy{
			PolicyID: session.UserNamePolicy, TokenType: ua.UserTokenTypeUserName, SecurityPolicyURI: policy,
		})
	}
	return tokens
}

// findServers carries out a FindServers (5.4.2): we know ourselves only.
func (r *request) findServers() {
	var v ua.FindServersRequest
	if !r.decode(&v) {
		return
	}
	d := &r.service.options.Discovery
	response := &ua.FindServersResponse{}
	if wanted(v.ServerURIs, d.ApplicationURI) {
		response.Servers = append(response.Servers, d.application(r.endpointURL(v.EndpointURL)))
	}
	r.respond(response)
}

// getEndpoints carries out a GetEndpoints (5.4.4).
func (r *request) getEndpoints() {
	var v ua.GetEndpointsRequest
	if !r.decode(&v) {
		return
	}
	response := &ua.GetEndpointsResponse{}
	if wanted(v.ProfileURIs, binaryTransport) {
		response.Endpoints = r.service.options.Discovery.endpoints(r.endpointURL(v.EndpointURL))
	}
	r.respond(response)
}

// wanted says whether a list of URIs has ours, or is empty: then all are wanted.
func wanted(uris []string, own string) bool {
	for _, uri := range uris {
		if uri == own {
			return true
		}
	}
	return len(uris) == 0
}
