package http

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Guard keeps web pages of others from sending requests through the browser of somebody who
// can reach this server: a plain-text POST needs no preflight, so that any page could start an
// order. It looks at three header values and works with any HTTP server. It is immutable.
type Guard struct {
	all     bool
	origins map[string]bool // in lower case
	hosts   map[string]bool // of these origins, in lower case, without port
}

// ForeignError is what [Guard.Check] returns: the request is to be refused with status 403.
type ForeignError struct{ reason string }

func (e *ForeignError) Error() string { return e.reason }

// NewGuard returns a guard that lets through, besides our own pages, those of the allowed
// origins, such as "https://plant.example:8443"; "*" allows all.
func NewGuard(allow []string) (*Guard, error) {
	g := &Guard{origins: make(map[string]bool), hosts: make(map[string]bool)}
	for _, origin := range allow {
		if origin == "*" {
			g.all = true
			continue
		}
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return nil, fmt.Errorf("http: %q is not an origin: write scheme://host or scheme://host:port, or * for all", origin)
		}
		g.origins[strings.ToLower(origin)] = true
		g.hosts[strings.ToLower(u.Hostname())] = true
	}
	return g, nil
}

// Allows says whether a page of this origin was explicitly allowed, so that it may be told by
// CORS headers.
func (g *Guard) Allows(origin string) bool {
	return origin != "" && (g.all || g.origins[strings.ToLower(origin)])
}

// Check judges a request by its Host, Origin and Sec-Fetch-Site; absent ones are empty.
// loopback says that the listener's address is a loopback one: then Host must be one too, so
// that a name of somebody else that resolves to 127.0.0.1 (DNS rebinding) is of no use. The
// error is a [*ForeignError].
func (g *Guard) Check(host, origin, fetchSite string, loopback bool) error {
	if loopback && host != "" && !loopbackHost(host) && !g.hosts[strings.ToLower(hostname(host))] {
		return &ForeignError{"the Host must be a loopback name on a loopback address: use localhost, or allow an origin with this host"}
	}
	if origin == "" {
		if strings.EqualFold(fetchSite, "cross-site") && !g.all {
			return &ForeignError{"a page of another site may not send requests here: allow its origin if it should"}
		}
		return nil
	}
	if g.Allows(origin) || sameOrigin(origin, host) {
		return nil
	}
	return &ForeignError{"a page of another origin may not send requests here: allow its origin if it should"}
}

// sameOrigin compares by authority only: whoever ends TLS in front of us changes the scheme.
func sameOrigin(origin, host string) bool {
	_, authority, found := strings.Cut(origin, "://")
	return found && host != "" && strings.EqualFold(authority, host)
}

// judge is Check without strings for what most requests have: no word of a browser, and a usual
// host.
func (g *Guard) judge(host, origin, fetchSite []byte, loopback bool) error {
	if len(origin) == 0 && len(fetchSite) == 0 && (!loopback || usualHost(host)) {
		return nil
	}
	return g.Check(string(host), string(origin), string(fetchSite), loopback)
}

// usualHost says whether host is one of the names by which most call a loopback address. Others
// may be as good.
func usualHost(host []byte) bool {
	name, _, _ := bytes.Cut(host, []byte(":"))
	return is(name, "localhost") || string(name) == "127.0.0.1"
}

func loopbackHost(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(hostname(host)), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

// hostname returns host without its port and brackets.
func hostname(host string) string {
	if inner, found := strings.CutPrefix(host, "["); found {
		name, _, _ := strings.Cut(inner, "]")
		return name
	}
	name, _, _ := strings.Cut(host, ":")
	return name
}

// isLoopback says whether an address to listen on is a loopback one.
func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
