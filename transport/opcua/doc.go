// Package opcua serves a gateway's nodes to OPC UA requesters: Methods whose Calls, and Variables
// whose Writes are held open, handed to the engine as a [core.Call] each, and answered with what
// the engine says about their ends.
//
// # Words
//
//   - tree: the nodes that the commissioning file describes, with one root ([Node]).
//   - operation: one Call, Write or Read of a node: one item of a request.
//   - held: an operation between Begin and the end of its transaction. A request is held as
//     long as one of its operations is; its response goes out when the last one has ended.
//   - session, channel: as in OPC 10000-4, 5.5 and 5.6.
//
// # Who owns what, what may block
//
// Each connection has one goroutine that reads and one that writes (internal/channel). The
// reader carries out what can be answered at once; what is held costs a small struct that is the
// [core.Completer] of its transactions: no goroutine and no timer, the engine's wheel times it.
// Whoever ends the last of its transactions encodes the response and hands it to the writer's
// queue, which is bounded and never blocks: a client that does not read is cut off.
//
// [Node.Receive] is called on the reader: it blocks the requests of its own connection only.
//
// # How an operation ends
//
// Its status says how; the word of the outcome and whether a retry is safe are in the diagnostic
// info, if the client asks for it (ReturnDiagnostics of the request header, OPC 10000-4, 7.32): the
// symbolic id is the outcome's word, the localized text is the detail, and the additional info is
// one line with both, the id of the transaction, and what may be done.
//
// The TimeoutHint, less 5 %, at least 20 ms, is the client's own limit; all operations of a request have
// the same. Who waits for an answer is not idle: his session lasts as long again once he has it.
//
// [Transaction.Fallback] takes the place of an answer when the outcome is timeout, shed or
// not_published. The status is UncertainSubstituteValue; a Write has nothing but that, and no
// Variable takes over a fallback.
//
// [Transaction.Keys] makes a Method's input argument idempotencyKey say which Calls are one and the
// same. One longer than 255 bytes is refused (BadOutOfRange). The same key with other arguments is
// BadEntryExists. Whether an outcome is given again, or an earlier Call is in doubt, is in the
// additional info.
//
// # Layers
//
// The packages under internal, from the wire upwards, and the part of OPC 10000 that each
// implements:
//
//   - channel: connections, secure channels (6); guard: what is looked at before a body is
//     decoded (6); pki: certificates (4, 12)
//   - session: sessions and who is behind them (4)
//   - space: the address space (3, 5); value: data types and JSON (6)
//   - subscription: subscriptions and monitored items (4)
//   - service: services, and holding (4)
//
// # Why not gopcua's server
//
// Of github.com/gopcua/opcua the codec, the algorithms, the constants and (in tests) the client
// are used. Its server calls handlers on one goroutine for all clients, so that one slow handler
// stops everybody, cannot hold a request, lacks Method calls, and ends with the process on
// requests that nobody needs to log in for. See internal/guard for what its codec must be
// protected from.
package opcua
