// Package rawclient is a lean OPC UA client for tests and benchmarks of the server: it keeps
// thousands of requests in flight on one session, costs little CPU beside what it measures, and
// can be told to misbehave. It is no client for anything else: it trusts the certificate that
// the server shows, and never reconnects.
//
// # Words
//
//   - request id: names a request on its channel (OPC 10000-6, 6.7.2.4); a response has the same.
//     This client uses it as request handle too, unless the caller sets one.
//   - body: a message without its chunks: type id and structure.
//   - template: a body that was encoded once, and is sent many times with another request handle.
//   - waiting, delivered: the response to [Client.Do] goes to who waits for it; any other is
//     delivered to Options.Deliver.
//
// # Who owns what, what may block
//
// A client has two goroutines. The writer writes what has gathered since its last write. The
// reader takes responses apart and delivers them; a Deliver that blocks stops it, as a client
// that does not read would. Methods may be called from many goroutines at once. Sending hands a
// message to the writer; it blocks while 1 MiB waits there, or fails if Options.NoWait is set, except
// during Deliver, so that the reader goes on while the server does not read. A write that takes longer than
// Options.WriteTimeout ends the client.
//
// The protocol is OPC 10000-6, 6.7 and 7.1 (chunks, secure channel, UA TCP) and OPC 10000-4, 5.6
// (session); the client is strict with what it gets: sequence numbers, tokens, signatures and
// sizes are checked, and a fault ends it with an error that says so.
package rawclient
