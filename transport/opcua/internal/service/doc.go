// Package service carries out what clients ask: the services of OPC 10000-4, on sessions, the
// address space, subscriptions and the engine.
//
// # Words
//
//   - request: one message of a client, with its header, from its bytes to its response.
//   - entry: what the table of services says of one of them.
//   - client: what is kept for a session: its subscriptions, continuation points, held requests.
//   - operation: one item of a Call, Write or Read that a transaction answers.
//   - held: a request that has operations which have not ended.
//   - fault: the response to a request that was refused or ended as a whole (ServiceFault).
//
// # Who owns what, what may block
//
// [Service.Handle] runs on the reader of one connection and answers at once what it can; nothing
// it calls waits for anything but [Node.Receive]. A held request is in the list of its client.
// Each of its operations is the [core.Completer] of its transaction: the last one to end encodes
// the response, on the goroutine that brought the answer, and hands it to the channel, which never
// blocks. Cancel, the end of the session and the end of the channel cancel the transactions; the
// response still goes out (or into the void) when the last of them has ended, so each request is
// answered exactly once.
//
// Under the lock of a client only the manager of subscriptions takes another. It is never held while
// the engine is called.
//
// # What is decided here
//
// A request that is cancelled, or whose session ends, is answered with a fault, whatever of its
// operations had ended before; if all had, it is answered with their results. The deadline of all operations of a request is the node's timeout or
// the TimeoutHint less 5 % (at least 20 ms), whichever is earlier: our answer is there before the
// client gives up; it counts from when the request was begun to be carried out. A client that asks for
// diagnostics gets of each operation that failed what it asks for (diagnostic.go), up to a megabyte in a
// response. A held request touches its session when it ends.
//
// Headers, Calls and Writes are read by hand (header.go), and the responses to Call, Read and Write
// are written so (wire.go): with the codec's reflection they cost three times as much. The guard has
// seen the bytes before.
package service
