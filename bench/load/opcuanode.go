package load

import (
	"fmt"
	"strings"

	"github.com/gopcua/opcua/ua"
)

func parseNodeID(what, text string) (*ua.NodeID, error) {
	if text == "" {
		return nil, fmt.Errorf("no %s is given, and none can be made out of the method's id", what)
	}
	id, err := ua.ParseNodeID(text)
	if err != nil {
		return nil, fmt.Errorf("the %s %q is no node id, such as ns=1;s=Press.MayStart: %w", what, text, err)
	}
	return id, nil
}

// parentOf is the id without its last part, as flowsync makes ids; empty: it has no parts.
func parentOf(id string) string {
	parent, _, found := cutLast(id, '.')
	if !found || !strings.Contains(parent, "s=") {
		return ""
	}
	return parent
}

func cutLast(text string, sep byte) (before, after string, found bool) {
	if i := strings.LastIndexByte(text, sep); i >= 0 {
		return text[:i], text[i+1:], true
	}
	return text, "", false
}
