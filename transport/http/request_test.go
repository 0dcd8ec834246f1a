package http_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

func TestJoinPath(t *testing.T) {
	for want, parts := range map[string][]string{
		"/data/base/route":  {"/data", "/base/", "/route"},
		"/data/x":           {"data/", "", "//x/"},
		"/":                 {"", "", "/"},
		"/data/order/{id}":  {"/data", "order", "{id}"},
		"/data/base/a/b%2F": {"/data", "base", "a//b%2F"},
	} {
		assert.Equal(t, want, http.JoinPath(parts...))
	}
}

// The value of a request, by its type and body.
func TestValue(t *testing.T) {
	engine := newFakeEngine(echo)
	r := serve(t, http.Options{Engine: engine}, transaction("POST", "/data/v", node(t, core.NodeOptions{})))
	const bom = "\xef\xbb\xbf"
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		want                    string // the value, or what the detail contains
	}{
		{"JSON verbatim", "application/json", `{ "b":1.50, "a":[null] }`, 200, `{ "b":1.50, "a":[null] }`},
		{"JSON with parameter", "Application/JSON; charset=UTF-8", `[1]`, 200, `[1]`},
		{"JSON by suffix", "application/merge-patch+json", `{"a":1}`, 200, `{"a":1}`},
		{"no type", "", `"text"`, 200, `"text"`},
		{"JSON with byte order mark", "application/json", bom + `{"a":1}`, 200, `{"a":1}`},
		{"large integers", "", `12345678901234567890`, 200, `12345678901234567890`},
		{"JSON invalid", "application/json", `{"a":1,}`, 400, "at byte 7"},
		{"JSON invalid after mark", "application/json", bom + `x`, 400, "at byte 3"},
		{"JSON cut off", "application/json", `{"a":`, 400, "at byte 5"},
		{"two values", "application/json", `1 2`, 400, "at byte 2"},
		{"no type and no JSON", "", `hello`, 400, "say what it is with a Content-Type"},
		{"JSON not UTF-8", "application/json", "\"\xff\"", 400, "at byte 1"},
		{"JSON in another charset", "application/json; charset=utf-16", `{}`, 415, "JSON is always UTF-8"},
		{"too deep", "application/json", strings.Repeat("[", 200) + strings.Repeat("]", 200), 400, "at byte 128"},
		{"text", "text/plain", "say \"hi\"\n\\\x01\u00fc", 200, `"say \"hi\"\n\\\u0001` + "\u00fc" + `"`},
		{"text, tab and return", "text/plain", "a\tb\r", 200, `"a\tb\r"`},
		{"text with byte order mark", "text/plain; charset=utf-8", bom + "x", 200, `"x"`},
		{"Latin-1", "text/plain; charset=ISO-8859-1", "gr\xfcn", 200, `"grün"`},
		{"Latin-1 keeps its C1", "text/plain; charset=latin1", "\x80", 200, "\"\u0080\""},
		{"Windows-1252", "text/csv; charset=windows-1252", "\x80", 200, `"€"`},
		{"Windows-1252 undefined", "text/csv; charset=windows-1252", "\x81", 400, "not valid in its charset"},
		{"Shift JIS", "text/plain; charset=Shift_JIS", "\x83\x65", 200, `"テ"`},
		{"Shift JIS invalid", "text/plain; charset=Shift_JIS", "\x83", 400, "not valid in its charset"},
		{"UTF-16", "text/plain; charset=utf-16", "\xff\xfea\x00", 200, `"a"`},
		{"UTF-16 big-endian", "text/plain; charset=UTF-16BE", "\x00a", 200, `"a"`},
		{"text not UTF-8", "text/plain", "\xff", 400, "not valid in its charset"},
		{"charset unknown", "text/plain; charset=klingon", "x", 415, `"klingon" is not known`},
		{"charset unsupported", "text/plain; charset=UTF-7", "x", 415, "is not known"},
		{"XML", "application/xml", "<a b='1'/>", 200, `"<a b='1'/>"`},
		{"XML by suffix", "image/svg+xml", "<svg/>", 200, `"<svg/>"`},
		{"XML that declares", "application/xml", "<?xml version='1.0' encoding='ISO-8859-1'?><a>\xfc</a>", 200, `"<?xml version='1.0' encoding='ISO-8859-1'?><a>ü</a>"`},
		{"XML whose header wins", "text/xml; charset=utf-8", "<?xml version='1.0' encoding='ISO-8859-1'?><a>ü</a>", 200, `"<?xml version='1.0' encoding='ISO-8859-1'?><a>ü</a>"`},
		{"XML in UTF-16", "application/xml", "\xfe\xff\x00<\x00a\x00/\x00>", 200, `"<a/>"`},
		{"XML that declares the unknown", "application/xml", `<?xml version="1.0" encoding="klingon"?><a/>`, 400, `"klingon"`},
		{"XML with a strange prolog", "application/xml", `<?xml version="1.0" encoding=?><a/>`, 200, `"<?xml version=\"1.0\" encoding=?><a/>"`},
		{"binary", "application/octet-stream", "\x00\xff\x10", 200, `"AP8Q"`},
		{"form", "application/x-www-form-urlencoded", "a=1", 415, "Content-Type: application/json"},
		{"multipart", "multipart/form-data; boundary=x", "--x--\r\n", 415, "Content-Type: application/json"},
		{"image", "image/png", "x", 415, "image/png is not taken"},
		{"malformed type", "application/", "x", 415, "malformed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, _, _ := engine.counts()
			got := r.do(t, post("/data/v", c.contentType, c.body))
			after, _, _ := engine.counts()
			require.Equal(t, c.status, got.StatusCode, got.Text)
			if c.status == 200 {
				require.Equal(t, c.want, got.Text)
				require.Equal(t, "application/json", got.Header.Get("Content-Type"))
				return
			}
			require.Contains(t, got.problem(t)["detail"], c.want)
			require.Equal(t, before, after, "something was begun")
		})
	}
	t.Run("compressed", func(t *testing.T) {
		got := r.do(t, post("/data/v", "application/json", "x", "Content-Encoding: gzip"))
		require.Equal(t, 415, got.StatusCode)
		require.Equal(t, 200, r.do(t, post("/data/v", "application/json", "1", "Content-Encoding: identity")).StatusCode)
	})
	t.Run("chunked", func(t *testing.T) {
		got := r.do(t, "POST /data/v HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\n\r\n")
		require.Equal(t, 200, got.StatusCode)
		require.Equal(t, "[1,2]", got.Text)
	})
}

// The value of a request without body is made of its parameters.
func TestParameters(t *testing.T) {
	engine := newFakeEngine(echo)
	n := node(t, core.NodeOptions{})
	r := serve(t, http.Options{Engine: engine},
		transaction("GET", "/data/plain", n),
		transaction("GET", "/data/order/{id}/{line}", n))
	for _, c := range []struct{ path, want string }{
		{"/data/plain", `{}`},
		{"/data/plain?", `{}`},
		{"/data/plain?b=2&a=1&b=3&c", `{"b":["2","3"],"a":"1","c":""}`},
		{"/data/plain?x=a+b%20c%2Bd&&=e", `{"x":"a b c+d","":"e"}`},
		{"/data/plain?q=%22%5c%0a%C3%BC", `{"q":"\"\\\n` + "ü" + `"}`},
		{"/data/order/4711/a%2Fb", `{"id":"4711","line":"a/b"}`},
		{"/data/order/1+2/%20?id=9&x=1", `{"id":"1+2","line":" ","x":"1"}`},
		{"/data/order/1/2/?apiToken=secret&a=1&%61pitoken=secret", `{"id":"1","line":"2","a":"1"}`},
	} {
		got := r.do(t, get(c.path))
		require.Equal(t, 200, got.StatusCode, "%s: %s", c.path, got.Text)
		require.Equal(t, c.want, got.Text, c.path)
	}
}

// What travels beside the value, and what rules may see.
func TestPropertiesAndMeta(t *testing.T) {
	var last *begun
	engine := newFakeEngine(func(b *begun) (core.Result, bool) { last = b; return echo(b) })
	route := transaction("POST", "/data/order/{id}", node(t, core.NodeOptions{}))
	route.NeedMeta = true
	r := serve(t, http.Options{Engine: engine}, route)
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

	r.do(t, post("/data/Order/a%2Fb?x=1&apiToken=secret&x=2", "application/json", "1", "traceparent: "+parent, "tracestate: a=1", "tracestate: b@c=2"))
	require.Equal(t, map[string]string{
		"http-method": "POST", "http-path": "/data/Order/a%2Fb", "http-query": "x=1&x=2",
		"http-content-type": "application/json", "traceparent": parent, "tracestate": "a=1,b@c=2",
	}, last.Properties)
	require.Equal(t, &http.Meta{Method: "POST", Path: "/data/Order/a%2Fb",
		Params: map[string]string{"id": "a/b"}, Query: map[string][]string{"x": {"1", "2"}}}, last.Meta)

	for _, c := range []struct {
		name     string
		request  string
		property string
		want     string // empty: left out
	}{
		{"raw byte in content type", post("/data/order/1", "application/json; x=\"\xff\"", "1"), "http-content-type", `application/json; x="%FF"`},
		{"long query", post("/data/order/1?"+strings.Repeat("x", 1025), "", "1"), "http-query", ""},
		{"longest query", post("/data/order/1?"+strings.Repeat("x", 1024), "", "1"), "http-query", strings.Repeat("x", 1024)},
		{"trace in capitals", post("/data/order/1", "", "1", "traceparent: "+strings.ToUpper(parent)), "traceparent", ""},
		{"trace of version ff", post("/data/order/1", "", "1", "traceparent: ff"+parent[2:]), "traceparent", ""},
		{"trace of a later version", post("/data/order/1", "", "1", "traceparent: 01"+parent[2:]+"-more"), "traceparent", "01" + parent[2:] + "-more"},
		{"trace with an appendix", post("/data/order/1", "", "1", "traceparent: "+parent+"-more"), "traceparent", ""},
		{"trace of zeros", post("/data/order/1", "", "1", "traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01"), "traceparent", ""},
		{"trace too short", post("/data/order/1", "", "1", "traceparent: 00-1"), "traceparent", ""},
		{"trace with a dot", post("/data/order/1", "", "1", "traceparent: "+strings.Replace(parent, "-", ".", 2)), "traceparent", ""},
		{"two traces", post("/data/order/1", "", "1", "traceparent: "+parent, "traceparent: "+parent), "traceparent", ""},
		{"state without trace", post("/data/order/1", "", "1", "tracestate: a=1"), "tracestate", ""},
		{"state malformed", post("/data/order/1", "", "1", "traceparent: "+parent, "tracestate: A=1"), "tracestate", ""},
		{"state repeated", post("/data/order/1", "", "1", "traceparent: "+parent, "tracestate: a=1,a=2"), "tracestate", ""},
		{"state with raw bytes", post("/data/order/1", "", "1", "traceparent: "+parent, "tracestate: a=\xff"), "tracestate", ""},
		{"state without value", post("/data/order/1", "", "1", "traceparent: "+parent, "tracestate: a="), "tracestate", ""},
		{"state of a tenant", post("/data/order/1", "", "1", "traceparent: "+parent, "tracestate: 1t_-*/@sys=x y, ,"), "tracestate", "1t_-*/@sys=x y, ,"},
		{"state of nobody", post("/data/order/1", "", "1", "traceparent: "+parent, "tracestate: 1t=x"), "tracestate", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			last = nil
			got := r.do(t, c.request)
			require.Equal(t, 200, got.StatusCode, got.Text)
			require.Equal(t, c.want, last.Properties[c.property])
			for name, value := range last.Properties {
				require.LessOrEqual(t, len(value), 1024, name)
			}
		})
	}
}

// The engine hears how long the requester waits, less what the way takes, whatever the node allows.
func TestPreferences(t *testing.T) {
	var last *begun
	engine := newFakeEngine(func(b *begun) (core.Result, bool) { last = b; return echo(b) })
	r := serve(t, http.Options{Engine: engine}, transaction("GET", "/data/x", node(t, core.NodeOptions{Timeout: 5 * time.Second})))
	const ms = time.Millisecond
	for _, c := range []struct {
		headers []string
		want    time.Duration // 0: none
	}{
		{nil, 0},
		{[]string{"Prefer: wait=2"}, 1900 * ms},
		{[]string{"Prefer: respond-async, Wait = \"3\"; foo"}, 2850 * ms},
		{[]string{"Prefer: return=minimal", "Prefer: wait=1, wait=4"}, 950 * ms},
		{[]string{"Prefer: wait=600"}, 570 * time.Second},
		{[]string{"Prefer: wait=999999999999"}, 1368 * time.Minute}, // 24 h less 5 %
		{[]string{"Prefer: wait=0"}, 0},
		{[]string{"Prefer: wait=-1"}, 0},
		{[]string{"Prefer: wait=1.5"}, 0},
		{[]string{"Prefer: wait"}, 0},
		{[]string{"Prefer: wait=soon, wait=1"}, 0},
		{[]string{"Prefer: wait=99999999999999999999"}, 0},
		{[]string{"Request-Timeout: 750"}, 712500 * time.Microsecond},
		{[]string{"Request-Timeout: 100"}, 80 * ms},
		{[]string{"Request-Timeout: 21"}, ms},
		{[]string{"Request-Timeout: 1"}, ms},
		{[]string{"Request-Timeout: 6000"}, 5700 * ms},
		{[]string{"Request-Timeout: 999999999999"}, 1368 * time.Minute},
		{[]string{"Request-Timeout: soon"}, 0},
		{[]string{"Request-Timeout: 1500", "Prefer: wait=1"}, 950 * ms},
		{[]string{"Request-Timeout: 500", "Prefer: wait=1"}, 475 * ms},
		{[]string{"Request-Timeout: soon", "Prefer: wait=1"}, 950 * ms},
	} {
		require.Equal(t, 200, r.do(t, get("/data/x", c.headers...)).StatusCode)
		require.Equal(t, c.want, last.Timeout, "%q", c.headers)
	}
}
