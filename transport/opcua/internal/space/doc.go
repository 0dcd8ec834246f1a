// Package space is the address space: nodes, references, attributes and values (OPC 10000-3),
// the standard nodes that clients look for (OPC 10000-5), and reading, browsing and translating
// them (OPC 10000-4, 5.9 and 5.11).
//
// # Words
//
//   - node: an Object, Variable, Method, or a type node of namespace 0.
//   - reference: from one node to another, of a reference type; each is stored at both ends.
//   - key: a node id that can be compared, whatever its encoding.
//   - value: what a Variable holds, a DataValue that is never changed in place: a new one
//     replaces it.
//   - live: a value that is computed when it is asked for, such as the current time.
//   - watcher: who is told when a value was replaced (package subscription).
//
// # Standard nodes
//
// Namespace 0 has the folders, the Server object, and the types that these, and nodes of
// namespace 1, have or derive from: what browsers show and clients read when they connect. They
// are made from the tables in the files ns0_*.go, because building the 4900 nodes of the
// published nodeset takes a quarter of a second and 15 MB; that nodeset is what the tests compare
// each of them with. Types have no instance declarations, and ServerDiagnostics has only its
// EnabledFlag, which is false.
//
// # Who owns what, what may block
//
// Nodes and references are added before the space is served, by one goroutine; after that only
// values change, and everything but Add may be called from many goroutines. A *ua.DataValue and
// what hangs on it is immutable once it was stored; so is what hangs on the results of Read,
// Browse and Translate, which share it. Ids of requests are not kept. Nothing blocks: values are
// loaded without a lock; a node's lock, which orders changes, is held for a few instructions
// for each watcher; watchers are called with it held, in the order of the changes and in that in
// which they came, and must only note what they hear: no lock of this package is taken below it,
// only theirs.
package space
