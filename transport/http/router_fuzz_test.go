package http

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// routePaths are those of the routes that FuzzRouter serves, as many as a bit each says.
var routePaths = []string{
	"/", "/a", "/a/b", "/a/{x}", "/{x}/b", "/{x}/{y}", "/a/{x}/c", "/{x}/b/{y}", "/A%2Fb", "/ä/{x}", "/{x}/ä", "/a/b/c/d", "/{x}/b/c/{y}", "/a%20b/{x}", "/K/{x}", "/a/b/c/{x}",
}

// FuzzRouter looks paths up in a tree and, slowly, in a list of routes: in each place a literal
// beats a parameter, an escaped slash does not part segments, case does not matter, and one trailing
// slash is ignored.
func FuzzRouter(f *testing.F) {
	for i, path := range []string{
		"/", "/a", "/A/B/", "/a/b%2Fc", "/x/b/y", "/a%2fB", "/%C3%84/1", "/x/%c3%a4", "/a/b/c/d", "/a/b/c/e", "/x/b/c/d", "/a b/x", "//a", "/a//b", "/%e2%84%aa/x", "/\xff/b", "/a/%ff", "/%41/%62/%43/%64/", "",
	} {
		f.Add(uint16(0xffff), path)
		f.Add(uint16(0xffff)^1<<(i%16), path)
	}
	f.Fuzz(func(t *testing.T, which uint16, path string) {
		if !validEscapes([]byte(path)) {
			return // refused before
		}
		var rt router
		var routes []string
		for i, route := range routePaths {
			if which&(1<<i) != 0 {
				require.NoError(t, rt.add(Route{Method: "GET", Path: route}))
				routes = append(routes, route)
			}
		}
		var found lookup
		ok := rt.find([]byte(path), &found)
		want, params := routeModel(routes, path)
		require.Equal(t, want != "", ok, "%q", path)
		if ok {
			require.Equal(t, want, found.resource.routes[0].Path, "%q", path)
			var got []string
			for _, param := range found.params {
				got = append(got, string(param))
			}
			require.Equal(t, params, got, "%q", path)
		}
	})
}

// routeModel picks the route for a path, and what its parameters are, undecoded.
func routeModel(routes []string, path string) (best string, params []string) {
	path = strings.TrimSuffix(path, "/")
	if path != "" && !strings.HasPrefix(path, "/") {
		return "", nil
	}
	segments := strings.Split(path, "/")[1:]
	if path == "" {
		segments = nil
	}
	bestRank := "~"
	for _, route := range routes {
		rank, values, ok := rankModel(strings.Split(strings.Trim(route, "/"), "/"), segments)
		if ok && rank < bestRank {
			best, bestRank, params = route, rank, values
		}
	}
	return best, params
}

// rankModel says whether a route has a path, and how well: 0 for each literal, 1 for each parameter.
func rankModel(route, path []string) (rank string, params []string, ok bool) {
	if len(route) == 1 && route[0] == "" {
		route = nil
	}
	if len(route) != len(path) {
		return "", nil, false
	}
	for i, segment := range path {
		if segment == "" {
			return "", nil, false
		}
		if strings.HasPrefix(route[i], "{") {
			rank, params = rank+"1", append(params, segment)
			continue
		}
		literal, err1 := url.PathUnescape(route[i])
		text, err2 := url.PathUnescape(segment)
		same := strings.ToLower(literal) == strings.ToLower(text) //nolint:staticcheck // as the router does it: EqualFold folds more
		if err1 != nil || err2 != nil || !same {
			return "", nil, false
		}
		rank += "0"
	}
	return rank, params, true
}
