// Package guard looks at the bytes of a request before they are decoded, so that decoding them
// is safe and cheap.
//
// The codec of gopcua trusts lengths: an array count of 0x7fffffff allocates 16 GB, a Variant
// that nests two million times overflows the stack, which no recover catches, dimensions whose
// product overflows loop for ever, and each further dimension of an array makes a type that the
// process keeps until it ends. The guard walks the same grammar (OPC 10000-6, 5.2) without
// allocating and refuses what does not fit: counts against the bytes that are left, depth,
// dimensions, services and structures that are not on its lists. What is not on a list is
// refused, so that forgetting to extend it fails safe.
//
// # Words
//
//   - program: the grammar of one Go type, compiled once in [New] by the rules of the codec's
//     decoder, so that both read the same.
//   - body: a type id and a request, which is what a message holds.
//   - budget: the bytes that decoding one body may keep.
//   - refusal: why a body is not decoded, with the status for its ServiceFault.
//
// # What passing means
//
// [ua.DecodeService] of the same bytes succeeds, and what it returns keeps at most 1 MiB + 16 ×
// the length of the body alive, besides the body itself, which ByteStrings and identifiers of
// nodes point into. (A null Variant is one byte on the wire and 72 in memory, a DataValue even
// 150: without a budget, 2 MiB would become 300 MB.) While it decodes, the codec makes garbage:
// it spells out the name of each field and element it reads. Garbage and values together are
// at most 4 MiB + 128 × the body. Tests measure both for the worst that could be constructed.
//
// # What is refused although the codec would read it
//
//   - Bytes after the request, or after a structure inside its ExtensionObject: whoever wrote
//     them means another structure than the one that would be read.
//   - Unknown bits of encoding masks, for the same reason: each stands for a field. A NodeId with
//     the flags of an ExpandedNodeId would also corrupt the response that it is copied to.
//   - ExtensionObjects with an XML body: the codec reads them in a form of its own.
//   - Structures that the codec knows, which are some hundred, and that are not on the list
//     (structures in services.go). The list has what requests are made of (tokens, filters,
//     operands, what may be in an AdditionalHeader) and the structures that variables of
//     OPC 10000-8 hold, so that whoever writes one to a variable hears BadTypeMismatch.
//
// The codec, and so the guard, also refuses arrays with a dimension of 0.
//
// # What passes although nobody here knows it
//
// ExtensionObjects without a body, and those with a type that the codec does not know: it skips
// the body unread and leaves Value nil. An AdditionalHeader of an unknown type has to be ignored
// (OPC 10000-4, 7.33), newer clients send such ones, and a vendor's structure that is written to
// a Double concerns that one item of the request: BadTypeMismatch, not a ServiceFault. What the
// codec knows is not assumed: it is asked, with the type id that stands there.
//
// Note that the codec panics when it encodes such an ExtensionObject: it must not be sent back.
//
// Strings are not looked into: NUL and invalid UTF-8 do no harm to the codec, and what they mean
// is for the owner of the value to judge, item by item.
package guard
