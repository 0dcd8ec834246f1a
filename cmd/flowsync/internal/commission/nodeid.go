package commission

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
)

// maxNodeID bounds the identifier of a node id, in bytes: OPC 10000-3, 8.2.4 allows 4096 characters.
const maxNodeID = 4096

const ownNamespace = "ns=1;"

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// nodeID reads a node id and returns it in its one spelling; empty if there is none, or it is
// wrong and reported.
func (s *service) nodeID(o *object) string {
	text := o.text("nodeId", "")
	v := o.field("nodeId")
	if v == nil || v.kind != stringKind {
		return ""
	}
	id, found := strings.CutPrefix(text, ownNamespace)
	if !found {
		o.wrong(v, "nodeId", "one in namespace 1, where all nodes of a file are, such as ns=1;s=Press.MayStart or ns=1;i=1001")
		return ""
	}
	id, ok := canonicalID(id)
	if !ok {
		o.wrong(v, "nodeId", "ns=1;s=<text>, ns=1;i=<number to 4294967295>, ns=1;g=<GUID> or ns=1;b=<base64>")
		return ""
	}
	return ownNamespace + id
}

// canonicalID brings the identifier of a node id into its one spelling (OPC 10000-6, 5.3.1.10).
func canonicalID(id string) (string, bool) {
	kind, text, _ := strings.Cut(id, "=")
	if text == "" || len(text) > maxNodeID {
		return "", false
	}
	switch kind {
	case "s":
		return id, true
	case "i":
		n, err := strconv.ParseUint(text, 10, 32)
		return "i=" + strconv.FormatUint(n, 10), err == nil
	case "g":
		return "g=" + strings.ToUpper(text), guid.MatchString(text)
	case "b":
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		return "b=" + base64.StdEncoding.EncodeToString(b), err == nil
	}
	return "", false
}
