// Package commission reads commissioning files: YAML files in the format of Cybus Connectware
// that say which HTTP and OPC UA servers, nodes and mappings a gateway serves. [Load] turns them into a
// checked [Model], or into the list of everything that is wrong with them.
//
// # Words
//
//   - service: one file, with its service id, which is the root of its MQTT topics.
//   - resource: one entry of the file's resources, of a type such as Cybus::Node::Http.
//   - node: a resource that requesters talk to. tree: the nodes of an OPC UA server, each below
//     its parent. mapping: a resource that carries messages from
//     topics through rules to another topic.
//   - value: a piece of the file after references, substitutions and merges, which remembers
//     where it stands.
//
// # How a file becomes a model
//
//  1. parse (yaml.go): bytes to YAML nodes, within limits of size, nesting and number.
//  2. resolve (resolve.go, combine.go, params.go): parameters get their values; !ref, !sub and
//     !merge are carried out and aliases followed, with a guard against circles. What comes out
//     are values. A name is looked for among the globals, the parameters, the definitions and
//     the resources, in this order.
//  3. decode (object.go, resources.go, node.go, transaction.go, fallback.go, http.go, opcua.go,
//     opcuanode.go, opcuatransaction.go, mapping.go): each resource is read field by field. An
//     unknown field, a wrong type or a number out of range is a [Problem] with its place; reading
//     goes on, so that one run finds all.
//  4. plant (tree.go): OPC UA nodes are put below their parents, which may stand anywhere in the
//     file, and get their node ids.
//  5. check (check.go, circle.go): what no single resource can know: paths and topics that are
//     used twice, mappings that feed each other, a second OPC UA server.
//
// What is wrong is told once. In place of what it should have given stands a broken value, about
// which nothing more is said: a misspelt reference does not also make a property missing.
//
// # What is decided here
//
// Nothing is clamped or guessed, and nothing is left out silently. What Connectware knows and
// this version does not serve is refused by name, a mapping without a subscription is an error,
// and so is a publish topic that could only fail later: a file that loads does what it says.
//
// A mapping whose publish topic its own subscription matches is refused. If that depends on a
// variable that rules set, it is a warning: they may never set it so. Mappings that feed each
// other in a circle are a warning, since a filter may end it. Variables of wildcards are known
// by what they can stand for: that of + is one level, that of # several.
//
// No two nodes may use the same topic: not the same node topic, and not the treq or tres of
// another either.
//
// An integer or number that !sub puts into a text is written as JSON writes it, so that it can
// stand in an expression: 0x10 becomes 16, 2.50 becomes 2.5. YAML's own <<, which takes over the
// keys of another map, works as well; !merge merges in depth.
//
// Files of Connectware are to run unchanged: what it documents and what has no bearing here
// (inputBuffering, agentName, a format) is accepted, with a notice where its author may expect an
// effect. An operation must be given but for OPC UA Objects and Variables, although its documentation calls it optional: nothing says
// what a node without one would do.
//
// # Transactions
//
// What may lose or repeat something is an error where the file can tell: failFast without the
// acknowledgements of QoS 1, a window of idempotency keys that ends while their request may still be
// held, keys for which requesters have no place, a fallback that an OPC UA client could not be given.
// A fallback is given digit for digit as the file writes its numbers, where JSON has that spelling. One that is
// null has to say so: an empty line is more likely a mistake, and would look like success.
//
// A node that may hold a request for more than a minute, extensions counted, is a warning. Our servers
// cut nothing that is held, but clients and proxies do by themselves, and those cannot be asked.
//
// # OPC UA
//
// There is one OPC UA server, in all files together, with one root node; both are what Connectware
// documents. Nodes stand in the same file as their server, although Connectware lets other
// services add some. A node whose parent is disabled is not
// served either, with a notice.
//
// A node without nodeId gets one of its browse names from the root down, ns=1;s=Plant.Press.Start,
// so that it stays what it is when nodes are added. Ids are compared in one spelling: i=07 is i=7.
//
// allowAnonymous is true by default. That is a guess: Connectware's properties are called as those
// of node-opcua, where it is so. With the default mode, SignAndEncrypt, a client without a user still needs a certificate
// that was trusted. Modes and policies that do not go together are an error, not left out: mode
// None goes with policy None, the others with the others.
//
// A Variable without an operation keeps its initial value for ever. Its operation, topic, rules
// and transaction are those of HTTP nodes, and so are a Method's, which is not provided. What
// timeoutErrorCode means is the protocol's: a code that is no Bad status is BadTimeout, with a
// warning.
//
// # YAML
//
// go.yaml.in/yaml/v4, the maintained successor of gopkg.in/yaml.v3: its nodes have line, column
// and the tag as it is written, which !ref needs, and its errors are typed and have a place.
// Of goccy/go-yaml the syntax tree gives these too, with a Go type for each kind of node and of
// scalar: more to walk for the same. Maps keep the order of the file, and a key that stands
// twice is an error.
//
// # Bounds
//
// A file has at most 4 MiB, is nested at most 64 deep with the references that are followed, and
// grows to at most 200 000 values and 16 MiB of substituted text; 500 problems are told, the rest
// counted. OPC UA nodes stand at most 64 deep. References are followed anew each time, never shared,
// so that these bounds hold for everything that is made of a file. The worst file takes some
// seconds.
package commission
