package load

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/gopcua/opcua/ua"
)

var nodeIDForm = regexp.MustCompile(`^(ns=\d+;)?[isgb]=.`)

func parseNodeID(what, text string) (*ua.NodeID, error) {
	if text == "" {
		return nil, fmt.Errorf("no %s is given, and none can be made out of the method's id", what)
	}
	id, err := ua.ParseNodeID(text)
	if err == nil && !nodeIDForm.MatchString(text) {
		err = errors.New("it does not say of which kind it is") // it would be a text in namespace 0
	}
	if err != nil {
		return nil, fmt.Errorf("the %s %q is no node id, such as ns=1;s=Press.MayStart: %w", what, text, err)
	}
	return id, nil
}

// parentOf is the id without its last part, as flowsync makes ids; empty: it has no parts.
func parentOf(id string) string {
	dot := strings.LastIndexByte(id, '.')
	if dot < 0 || !strings.Contains(id[:dot], "s=") {
		return ""
	}
	return id[:dot]
}
