// Package session keeps sessions (OPC 10000-4, 5.6): who may ask, and over which channel.
//
// # Words
//
//   - session: what a client has between CreateSession and CloseSession or its timeout. It may
//     outlive its channel and be taken up again over another.
//   - token: the secret that a client shows with each request: 32 random bytes.
//   - activated: the client has proved who it is, in ActivateSession.
//   - user: the name a client has logged in with; empty for anonymous ones.
//
// # Who owns what, what may block
//
// A [Table] has all sessions. Its methods may be called from many goroutines; they take one lock
// for a few instructions and call Ended and Login outside of it, Busy inside. Signatures
// and passwords cost milliseconds of computing on the caller's goroutine, which is the reader of
// one connection. Each session has one timer, for its timeout.
//
// # What is decided here
//
// A session that is never activated ends after ten seconds, and the oldest of these makes place
// when all places are taken, or else the oldest one whose connection is lost: nobody can keep
// others out with sessions that nobody uses (OPC 10000-4, 5.6.2).
// The token is good for the channel it was activated on, and no other: BadSecureChannelIdInvalid. To
// take a session over to another channel a client needs the same certificate, a valid signature
// and the same user. With the policy None there is neither certificate nor signature: then its
// secrecy is that of the token.
//
// A password counts only if it is encrypted with one of the RSA-OAEP algorithms, or travels inside
// SignAndEncrypt. After five wrong ones in a row the session ends.
package session
