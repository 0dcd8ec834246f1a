// Package space is the address space: nodes, references, attributes and values (OPC 10000-3),
// the standard nodes that clients look for (OPC 10000-5), and reading, browsing and translating
// them (OPC 10000-4, 5.8 and 5.11).
//
// # Words
//
//   - node: an Object, Variable, Method, or a type node of namespace 0.
//   - reference: from one node to another, of a reference type; each is stored at both ends.
//   - value: what a Variable holds, a DataValue that is never changed in place: a new one
//     replaces it.
//   - live: a value that is computed when it is asked for, such as the current time.
//   - watcher: who is told when a value was replaced (package subscription).
//
// # Who owns what, what may block
//
// Nodes and references are added before the space is served, by one goroutine; after that only
// values change, and everything may be called from many goroutines. A *ua.DataValue and what
// hangs on it is immutable once it was stored. Nothing blocks: a node's lock is a leaf and is
// held for a few instructions; watchers are called with the node's lock held, in the order of
// the changes, and must only note what they hear.
package space
