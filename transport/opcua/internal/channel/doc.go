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
// takes responses from a bounded queue, numbers, signs and encrypts them, and flushes when the
// queue is empty; each write has a deadline. Send never blocks, so that whoever completes a
// transaction can call it: when more waits than the queue may hold, the channel is closed. The
// reader, after each call of the handler, waits until the queue is below half, so that a client
// that asks much and reads slowly is slowed down, and cut off after the write deadline.
//
// A panic in the handler or in the codec ends that connection only.
//
// # What of gopcua is used
//
// uacp's Hello and Acknowledge, uasc's header codecs, uapolicy's algorithms. Not its secure channel: see
// the package doc of transport/opcua.
package channel
