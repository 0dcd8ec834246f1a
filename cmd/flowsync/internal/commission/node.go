package commission

import (
	"strings"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// operations, as files spell them. The documentation has two spellings of the last one.
var operations = map[string]Operation{
	"transaction": Transaction, "serverReceives": ServerReceives, "serverProvides": ServerProvides,
	"serverProvidesReceives": ServerProvidesAndReceives, "serverProvidesAndReceives": ServerProvidesAndReceives,
}

// The operations that nodes of a kind may have.
var (
	httpOperations     = []string{"transaction", "serverReceives", "serverProvides", "serverProvidesReceives", "serverProvidesAndReceives"}
	variableOperations = httpOperations
	methodOperations   = []string{"transaction", "serverReceives"}
)

// node reads what nodes of all protocols have, but for what is below "transaction".
func (s *service) node(o *object, id string, may []string) Node {
	n := Node{ID: id, Pos: s.places[id], QoS: o.qos(), Retain: o.truth("retain"), Topic: s.topic(o, id)}
	n.Operation = operations[o.oneOf("operation", may...)]
	n.Rules = o.rules("rules", n.Operation == Transaction)
	if n.Retain && n.Operation == Transaction {
		s.warnf(o.place("retain"), "retain of %s: a responder that connects later gets the last request once more, which has ended long ago", o.what)
	}
	s.noEffect(o, "inputBuffering", "requests are published as they come")
	return n
}

// topic reads a node's topic, or takes the resource id for it.
func (s *service) topic(o *object, id string) string {
	root := "services/" + s.ID + "/"
	topic := root + strings.Trim(o.text("topic", id), "/")
	at := o.place("topic")
	switch err := mqtt.ValidateTopic(topic + "/treq"); {
	case topic == root:
		s.errorf(at, "topic of %s is empty", o.what)
	case err != nil:
		s.errorf(at, "topic of %s: %v", o.what, err)
	case strings.ContainsAny(topic, "{}"):
		s.errorf(at, "topic of %s has a brace: these stand for variables in mappings", o.what)
	}
	return topic
}

// noReadTransaction refuses what only Variables have; false says no more than what is.
func (s *service) noReadTransaction(t *object) {
	if t.truth("readTransaction") {
		s.errorf(t.place("readTransaction"), "readTransaction of %s: only an OPC UA Variable has reads that may be transactions", t.what)
	}
}

// noEffect takes a property that Connectware knows and that changes nothing here, whatever its
// value, and says so once.
func (s *service) noEffect(o *object, name, why string) {
	if o.has(name) {
		s.noticef(o.place(name), name, "%s has no effect: %s", name, why)
	}
	o.ignore(name)
}
