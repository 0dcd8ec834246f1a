// Package channel carries messages over TCP: the connection protocol of OPC 10000-6, 7.1 (UA TCP:
// HEL, ACK, ERR) and secure conversation, OPC 10000-6, 6.7 (OPN, MSG, CLO: chunks, sequence
// numbers, signing, encryption, renewal of tokens).
//
// # Words
//
//   - connection: one TCP connection, from HEL to its end. It has one secure channel.
//   - channel: the security of a connection: its policy, mode, keys and tokens.
//   - token: one set of keys, with its lifetime. A renewal makes a new one; the one before stays
//     valid until the client first uses the new one, or 1.25 × its lifetime; what the server
//     sends changes over at that first use.
//   - message: one request or response, cut into chunks on the wire.
//   - body: a message as one piece, after decryption: the type id and the structure.
//
// # Who owns what, what may block
//
// A connection has two goroutines. The reader (Serve) reads frames of exactly their size, takes
// them apart and calls the handler with each body, which then belongs to the handler. The writer
// takes responses from a bounded queue, numbers, signs and encrypts them, and writes when the
// queue is empty or 64 KiB have gathered; each write has a deadline. Send never blocks, so that
// whoever completes a transaction can call it: when more waits than the queue may hold, the
// channel is closed. The reader, after each call of the handler, waits until little is left in
// the queue (256 KiB, at most half of what it may hold): a client that asks much and reads slowly
// is slowed down, costs little memory, and is cut off after the write deadline.
//
// A panic in the handler or in the codec ends that connection only.
//
// # What strangers can do
//
// Until the channel is open a peer has HandshakeTimeout, may send HEL and one OPN, and makes
// this side hold one chunk at most. A certificate is judged before anything is decrypted, and
// one OPN costs no more than 16 RSA operations. Five logins in a row that are refused end the
// connection. The log takes about a line a second.
//
// # What is told to the peer
//
// What is wrong with the protocol is an ERR with the status that names it. What is wrong with the
// security of a message, the certificate included, is BadSecurityChecksFailed and no more: what
// exactly helps an attacker, while the operator finds it in the log and, if a certificate was only
// unknown, among the rejected ones. An OPN that is authentic but cannot be granted gets a
// ServiceFault, then the ERR (OPC 10000-6, 6.7.4).
//
// # Choices where the standard leaves one
//
//   - Chunks of one message follow each other; one of another message between them is an error.
//     A renewal may come between them.
//   - Sequence numbers are checked under each policy, also None.
//   - A renewal (RequestType Renew) on a new connection is refused: a channel ends with its
//     connection, and clients then open another.
//   - The bytes of the padding are not compared: the signature covers them.
//   - A chunk may be 15 bytes longer than agreed, for the sake of gopcua's client.
//
// # What of gopcua is used
//
// uacp's messages, uasc's security header, uapolicy's asymmetric algorithms. Not its secure channel:
// its server side asks the mode whether an OPN is to be decrypted, which only the encrypted body
// tells, and answers without the receiver's thumbprint. Not uapolicy.Symmetric either, which allocates nine times and takes twice as long for
// each chunk; tests use it as oracle.
package channel
