// Package commission reads commissioning files: YAML files in the format of Cybus Connectware
// that say which HTTP servers, nodes and mappings a gateway serves. [Load] turns them into a
// checked [Model], or into the list of everything that is wrong with them.
//
// # Words
//
//   - service: one file, with its service id, which is the root of its MQTT topics.
//   - resource: one entry of the file's resources, of a type such as Cybus::Node::Http.
//   - node: a resource that requesters talk to. mapping: a resource that carries messages from
//     topics through rules to another topic.
//   - value: a piece of the file after references, substitutions and merges, which remembers
//     where it stands ([value]).
//
// # How a file becomes a model
//
//  1. parse: bytes to YAML nodes, within limits of size, nesting and number.
//  2. resolve: parameters get their values; !ref, !sub and !merge are carried out, aliases
//     followed, lazily and with a guard against circles. What comes out are values.
//  3. decode: each resource is read field by field. An unknown field, a wrong type or a number
//     out of range is a [Problem] with its place; reading goes on, so that one run finds all.
//  4. check: what no single resource can know: the same path twice, topics twice, mappings that
//     feed themselves.
//
// Nothing here is clamped or guessed. What Connectware knows and this version does not serve is
// refused by name: a file that loads does what it says.
//
// # YAML
//
// go.yaml.in/yaml/v4, the maintained successor of gopkg.in/yaml.v3: its node API gives line and
// column and hands us tags as they are written, which !ref needs. Maps keep the order of the
// file, and a key that stands twice is an error.
package commission
