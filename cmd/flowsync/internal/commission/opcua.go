package commission

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/flowsync-go/flowsync/transport/opcua"
)

// What an OPC UA server has if the file does not say.
const (
	defaultOPCUAPort    = 4841
	defaultResourcePath = "/UA/CybusOpcuaServer"
)

// maxName bounds host names, browse names and the like, in bytes. OPC 10000-3, 8.3 wants no more
// than 512 characters of a browse name.
const maxName = 512

func (s *service) opcuaServer(id string) {
	o := s.properties[id]
	server := &OPCUAServer{
		ID: id, Pos: s.places[id],
		Port:           int(o.integer("port", defaultOPCUAPort, 1, 65535, "a port from 1 to 65535")),
		ResourcePath:   s.resourcePath(o),
		Hosts:          s.hosts(o),
		ApplicationURI: s.applicationURI(o),
		Security:       s.security(o),
		Anonymous:      !o.has("allowAnonymous") || o.truth("allowAnonymous"),
	}
	o.ignore("allowAnonymous")
	enabled := o.enabled()
	o.done()
	s.branches[id] = &branch{id: id, server: server, enabled: enabled, pos: server.Pos}
	switch {
	case !enabled:
	case s.OPCUAServer != nil:
		secondServer(s.report, server, s.OPCUAServer)
	default:
		s.OPCUAServer = server
	}
}

// secondServer reports a second OPC UA server: Connectware has no more than one either, and
// clients know a gateway by one application URI and one certificate.
func secondServer(r *report, second, first *OPCUAServer) {
	r.errorf(second.Pos, "%s is a second OPC UA server, and there can be one only, in all files together: the first is %s at %s", clip(second.ID), clip(first.ID), first.Pos)
}

// checkOPCUAServers finds servers of several files.
func checkOPCUAServers(r *report, model *Model) {
	var first *OPCUAServer
	for _, s := range model.Services {
		switch {
		case s.OPCUAServer == nil:
		case first == nil:
			first = s.OPCUAServer
		default:
			secondServer(r, s.OPCUAServer, first)
		}
	}
}

func (s *service) resourcePath(o *object) string {
	path := "/" + strings.TrimLeft(o.text("resourcePath", defaultResourcePath), "/")
	u, err := url.Parse("opc.tcp://host" + path)
	if err != nil || u.Path != path || u.RawQuery != "" || len(path) > maxPath || strings.ContainsAny(path, " \t") {
		s.errorf(o.place("resourcePath"), "resourcePath of %s is %q, want a plain path such as %s", o.what, clip(path), defaultResourcePath)
	}
	return path
}

// hosts reads the names that clients know the server by: hostname, then alternateHostname, which
// may be a list.
func (s *service) hosts(o *object) []string {
	var hosts []string
	add := func(name string, v *value) {
		switch {
		case v == nil || v.kind == brokenKind:
		case v.kind != stringKind || !validHost(v.text):
			o.wrong(v, name, "the name or address of a host, without a port")
		case !slices.Contains(hosts, v.text):
			hosts = append(hosts, v.text)
		}
	}
	add("hostname", o.field("hostname"))
	if v := o.field("alternateHostname"); v != nil && v.kind == listKind {
		for _, item := range v.items {
			add("alternateHostname", item)
		}
	} else {
		add("alternateHostname", v)
	}
	return hosts
}

func validHost(text string) bool {
	if strings.Contains(text, ":") { // else a port
		return net.ParseIP(text) != nil
	}
	return text != "" && len(text) <= maxName && !strings.ContainsAny(text, "/ \t[]@?#")
}

func (s *service) applicationURI(o *object) string {
	text := o.text("applicationUri", "")
	if !o.has("applicationUri") {
		return ""
	}
	u, err := url.Parse(text)
	if v := o.field("applicationUri"); v != nil && v.kind == stringKind && (err != nil || u.Scheme == "" || len(text) > maxName || strings.ContainsAny(text, " \t")) {
		o.wrong(v, "applicationUri", "a URI, such as urn:plant:press:flowsync")
	}
	return text
}

// The modes and policies of endpoints (OPC 10000-7). What is not secure any more is refused by
// name.
var (
	securityModes    = []string{"None", "Sign", "SignAndEncrypt"}
	securePolicies   = []string{"Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"}
	securityPolicies = append([]string{"None"}, securePolicies...)
	brokenPolicies   = []string{"Basic128", "Basic128Rsa15", "Basic192", "Basic192Rsa15", "Basic256", "Basic256Rsa15"}
)

const policyPrefix = "http://opcfoundation.org/UA/SecurityPolicy#"

// security reads modes and policies, and makes endpoints of what goes together: mode None with
// policy None, the others with the others.
func (s *service) security(o *object) []opcua.Security {
	modes, okModes := s.words(o, "securityModes", securityModes)
	policies, okPolicies := s.words(o, "securityPolicies", securityPolicies)
	if !okModes || !okPolicies {
		return nil // what does not go with what is not known
	}
	if !o.has("securityModes") {
		modes = []string{"SignAndEncrypt"}
	}
	if !o.has("securityPolicies") {
		policies = policiesFor(modes)
	}
	goes := func(policy, mode string) bool { return (policy == "None") == (mode == "None") }
	var all []opcua.Security
	for _, policy := range policies {
		if !slices.ContainsFunc(modes, func(mode string) bool { return goes(policy, mode) }) {
			s.errorf(o.place("securityPolicies"), "securityPolicies of %s has %s, and securityModes (%s) has no mode that goes with it: clients could not use it", o.what, policy, strings.Join(modes, ", "))
		}
		for _, mode := range modes {
			if goes(policy, mode) {
				all = append(all, opcua.Security{Policy: policy, Mode: mode})
			}
		}
	}
	for _, mode := range modes {
		if !slices.ContainsFunc(policies, func(policy string) bool { return goes(policy, mode) }) {
			s.errorf(o.place("securityModes"), "securityModes of %s has %s, and securityPolicies (%s) has no policy that goes with it: clients could not use it", o.what, mode, strings.Join(policies, ", "))
		}
	}
	return all
}

// policiesFor are all policies that go with modes.
func policiesFor(modes []string) []string {
	var policies []string
	if slices.ContainsFunc(modes, func(mode string) bool { return mode != "None" }) {
		policies = slices.Clone(securePolicies)
	}
	if slices.Contains(modes, "None") {
		policies = append(policies, "None")
	}
	return policies
}

// words reads a list of known words, in any case; a policy may be its URI. False: something is
// wrong with it, which is reported.
func (s *service) words(o *object, name string, known []string) (words []string, ok bool) {
	v := o.field(name)
	if v == nil {
		return nil, !o.has(name)
	}
	if v.kind != listKind || len(v.items) == 0 {
		o.wrong(v, name, "a list of "+strings.Join(known, ", "))
		return nil, false
	}
	ok = true
	for _, item := range v.items {
		text := strings.TrimPrefix(item.text, policyPrefix)
		same := func(word string) bool { return strings.EqualFold(word, text) }
		at := slices.IndexFunc(known, same)
		switch {
		case item.kind == brokenKind:
			ok = false
		case item.kind != stringKind:
			o.wrong(item, name, "a list of "+strings.Join(known, ", "))
			ok = false
		case at >= 0 && !slices.Contains(words, known[at]):
			words = append(words, known[at])
		case at >= 0: // twice
		case name == "securityPolicies" && slices.ContainsFunc(brokenPolicies, same):
			s.errorf(item.pos, "securityPolicies of %s has %s, which is not secure any more (OPC 10000-7 has withdrawn it): use %s", o.what, clip(text), strings.Join(securePolicies, ", "))
			ok = false
		default:
			s.unknown(item.pos, "word in "+name+" of "+o.what+":", item.text, known)
			ok = false
		}
	}
	return words, ok
}
