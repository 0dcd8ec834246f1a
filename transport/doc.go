// Package transport is only this text: what a transport is, and how to write one.
//
// A transport connects package core to the world. There are two kinds, and the engine stands
// between them:
//
//   - A server (transport/http) accepts requests from requesters. It calls the engine.
//   - A bus (transport/mqtt, transport/mqtt/embedded, transport/mem) carries requests to
//     responders and brings their answers back. The engine calls it, and it calls the engine's
//     core.Sink.
//
// Transports import core and never each other, but for what an embedded broker shares with its
// external kind; the command wires them together. Folders are named by protocol, not by library.
//
// # How to write a bus
//
//  1. Implement core.Bus. Publish copies what it keeps, hands it to a queue of a bounded size
//     and returns: it is called on the requester's goroutine. When the queue is full it returns
//     an error that wraps core.ErrShed; when it knows that it cannot deliver, core.ErrNotSent.
//     Requests of one node go through one queue, because they must leave in order.
//  2. Implement core.Binder to get the Sink: core.New calls Bind once, before anything else.
//     Implement core.Attacher if you must subscribe to each node's answer topic. An answer may
//     be resolved as soon as Attach has been called.
//  3. Just before the bytes of a request leave the process call Sink.Sent, once. If it returns
//     false throw the request away: its deadline has passed or it has ended. After true there is
//     no way back, so call it as late as you can: it is the difference between "it was not
//     done" and "it may have been done".
//  4. Never hand over a request twice, whatever the protocol offers for it. When a connection is
//     lost, what was not handed over ends with Sink.Fail and core.ErrNotSent; what was, stays
//     held until its answer or its deadline comes.
//  5. Give everything that arrives on an answer topic to Sink.Resolve, whatever it is: the
//     engine decodes, classifies and counts it. Set Stale on what the broker had kept from
//     before. Resolve does not keep the payload and does not block, but it runs the completers:
//     hold no lock while you call it, or Sent, or Fail.
//  6. Report a refusal by the broker with Sink.Fail and core.ErrRefused, with a text that says
//     what happened: the requester reads it. If it tells that nobody is subscribed, that ends
//     requests of nodes with core.Node.FailFast only, with core.ErrNoSubscriber, and not those
//     that are retained: somebody may yet be given them. The answer may have come before; then
//     Fail returns false, and all is well.
//  7. Requests of nodes with core.Node.Wait do not fail while you have no connection: keep them, in
//     order and bounded in bytes (core.ErrShed above), also those that a connection had accepted
//     and not handed over. Drop them when their deadline comes; the engine has ended them then. At
//     Close they end with core.ErrNotSent.
//  8. Requests say how much time is left. Say it as of the moment at which they are handed over:
//     serial nodes, rules, and whatever made them wait have used some of it.
//  9. Close stops every goroutine, within a bounded time, also while requests are held.
//  10. Run transporttest.Bus on it, with a real peer on the far side.
//
// # How to write a server
//
//  1. Take an interface with the two methods that you need, Begin and Cancel, rather than the
//     engine itself, and the nodes that the commissioning file maps to your addresses.
//  2. Check everything that can be wrong with a request before Begin: what has begun is
//     published. Make JSON text of its value and check it with core.ValidJSON.
//  3. Call Begin with a core.Call and a core.Completer. The call's bytes are yours again when
//     Begin returns. If your protocol has a goroutine for each request anyway, wait with a
//     core.Waiter; otherwise complete from the callback, which must not block and must copy
//     the value if it keeps it.
//  4. A requester's own limit is Call.Timeout, as long as it is, less what the way back to him
//     takes: he must have your reply before he gives up. The engine sees to the node's timeout.
//  5. While a request is held, watch its connection. When the requester is gone call Cancel with
//     the id, within a second, and still wait for the completer: it is called exactly once, with
//     whatever came first.
//  6. Map every core.Outcome to a native reply, in one table without a default that could look
//     like success, and hand on the word of the outcome, the id, and whether a retry is safe.
//  7. While the engine is drained go on accepting: Begin ends new requests as shutdown, which
//     tells a requester more than a refused connection; what does not go through Begin is refused
//     likewise. Then the engine is closed, which ends what is held, and Shutdown stops
//     accepting and waits, in bounded time, until your connections have written their replies.
//     Close does not wait for that: it cuts them.
//  8. Run transporttest.Server on it, with real clients.
//
// Neither kind starts anything in an init function, keeps state in package variables, or reads
// flags: options come in one struct that says for each field its unit and what zero means.
package transport
