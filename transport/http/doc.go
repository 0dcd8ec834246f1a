// Package http serves a gateway's nodes to HTTP requesters. A request to a transaction node is
// held open, handed to the engine as a [core.Call], and answered with what the engine says
// about its end. It runs on fasthttp.
//
// # Words
//
//   - route: a method and a path, and what happens there ([Route]): a transaction, a received
//     value (serverReceives) or a provided one (serverProvides).
//   - exchange: one request on a transaction route, from its head to its reply. It is the
//     [core.Completer] of its transaction.
//   - held: between Begin and the end of the transaction.
//   - refusal: a request that ends before anything is published, with its status and reason.
//   - stash: what a requester sent while his request was held (pipelining).
//
// # Who owns what, what may block
//
// Each connection has one goroutine. While a request is held, that goroutine waits for a signal of
// the completer. Once it has been held for a quarter of a second, half at most, the goroutine waits
// in a read of its own connection instead, which the completer interrupts through the read deadline
// (watch.go). So a requester that leaves before that is noticed then, one that leaves later at
// once, and no second goroutine watches him. One that
// closes his sending half (shutdown, nc -N) counts as gone, and one that has sent more than 16 KiB
// ahead while he waits is noticed only when his request ends.
//
// Byte slices given to [Route.Receive] and returned by [Route.Provide] are valid during the
// call only, and until the reply is written, respectively. Both may block: they block their
// own connection only. The completer never blocks: it copies the answer's value into the
// reply, moves a deadline and signals.
//
// # What is accepted
//
// The framing is stricter than fasthttp's and net/http's (RFC 9112): one way to read a request,
// or 400 and the end of the connection. Refused are Content-Length together with
// Transfer-Encoding or given twice, any coding but "chunked", folded lines, bare LF or CR in
// the field lines, white space before a colon, NUL, an absent or second Host. Requests end
// where both a proxy in front and this server say they end.
//
// A path is split first and decoded then, so that a%2Fb is one segment. It matches without
// regard to case, one trailing slash is ignored, a literal segment beats a parameter, and the
// path alone decides which node is meant: if that node does not know the method, it is 405,
// even if a route with a parameter in that place does. A parameter of the route beats a query
// parameter of the same name in the value of a request without body.
//
// # How long a requester waits
//
// "Prefer: wait=<seconds>" (RFC 7240) and "Request-Timeout: <ms>" are the requester's own limit: the
// engine is told it less 5 %, at least 20 ms, so that the reply is there before he gives up. It is
// no wish for more than the node allows. Those that are zero or malformed are ignored.
//
// ReadTimeout, IdleTimeout and WriteTimeout never end a request that is held.
//
// # Requests that are sent again
//
// Where [Transaction.Keys] is set, the header Idempotency-Key says which requests are one and the same
// (draft-ietf-httpapi-idempotency-key-header); a key in quotes is the same as without (key.go). One
// that is malformed, or there twice, is refused with 400 before anything is published. There is one
// token at most, so all requesters are one user. The same key with another value, route, path
// parameter or query is 422 with the type [ProblemTypeConflict]. A reply that is given again has
// "Idempotency-Replayed: true"; one that was waited for together with another request has not.
// While it is not known what became of the first request, the document says "inDoubt":true.
//
// # Failures
//
// All are problem documents (RFC 9457). The type of one that ended a transaction is
// [ProblemTypeBase] followed by the outcome; others have about:blank and the title says what
// the status says. "retrySafe" is true if nothing was done, for sure.
//
// A node with a fallback gives that instead of the document when the outcome is timeout, shed or
// not_published, with 200 (204 for null), and the outcome's word in Flowsync-Outcome. It does not hide
// a doubt (Flowsync-In-Doubt: true) nor when to come back (Retry-After); logs and metrics have the
// outcome.
//
// # Overload
//
// The engine says what is shed; the server sees to it that shedding stays cheap. Beyond the first
// few in a second, a connection that was shed is read again when its requester was told to come
// back (rest.go). A proxy that keeps a few connections for everybody should respect Retry-After, or
// be given as many connections as it wants.
//
// # Why not fasthttp's Serve
//
// It returns for good when descriptors run out, polls during shutdown, reopens keep-alive when
// a shutdown gives up, and its worker pool leaves a goroutine behind for ten seconds. The
// accept loop and the list of connections are our own (listen.go); a connection is served by
// fasthttp's ServeConn. With the first reply of the process fasthttp starts one goroutine that
// keeps the time for the Date header and never ends; leak checks must allow for it.
//
// Where to read on: handler.go is the way of a request, exchange.go, conn.go and watch.go are the
// way of a held one. deadline.go keeps timeouts from costing what they do not have to.
package http
