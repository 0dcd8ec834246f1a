// Package guard looks at the bytes of a request before they are decoded, so that decoding them
// is safe and cheap.
//
// The codec of gopcua trusts lengths: an array count of 0x7fffffff allocates 16 GB, a Variant
// that nests two million times overflows the stack, which no recover catches, dimensions whose
// product overflows loop for ever. The guard walks the same grammar (OPC 10000-6, 5.2) without
// allocating and refuses what does not fit: counts against the bytes that are left, depth,
// products of dimensions, services and types of ExtensionObjects that are not on its list. What
// is not on the list is refused, so that forgetting to extend it fails safe.
//
// # Words
//
//   - program: the grammar of one structure, compiled once from the Go type that the codec would
//     fill, so that both read the same.
//   - refusal: why a request is not decoded, with the status for its ServiceFault.
package guard
