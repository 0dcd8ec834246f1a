// Package pki keeps the server's own certificate and the folder of certificates that it trusts
// (OPC 10000-12, 7.8.3 for the layout of the folders; OPC 10000-6, 6.2.2 for what an application
// instance certificate holds; OPC 10000-4, 6.1.3 for how one is judged).
//
//	DIR/own/certs/flowsync.der    made once
//	DIR/own/private/flowsync.pem  its key, readable by the owner only
//	DIR/trusted/certs/            certificates (DER or PEM) of clients that may connect, and of
//	                              authorities whose clients may
//	DIR/rejected/certs/           where the certificate of a client that was refused is put
//
// An operator trusts a client by moving its file from rejected to trusted; no restart is
// needed. Rejected ones are bounded in number (100, the oldest goes) and size.
//
// # Who is trusted
//
// A certificate that lies in trusted, byte for byte; or one that an authority (a certificate with
// CA:TRUE, without an application's URI, and with a key usage of certSign if it has any) in trusted
// has issued itself: there are no intermediate ones. A certificate with a URI in its subject
// alternative name is a client's and vouches for nobody, whatever else it says. Revocation lists are not read: to
// take trust away from a client, remove its file; one that an authority vouches for can only be
// shut out with that authority, so trust clients one by one where that matters.
//
// What is trusted must still be fit for use: not expired, RSA of 2048 to 4096 bits, not signed with SHA-1
// or worse, and not made for other purposes.
//
// Only a certificate that is fit but unknown is put into rejected: moving any other to trusted
// would not help. Strangers fill that folder; to look at a certificate's fingerprint before
// moving it is the operator's part.
//
// # Files
//
// Files are written under a temporary name, synced and renamed. The folder trusted is read anew
// whenever it or a file in it may have changed; what is no file, not readable, larger than 64 KiB or beyond the
// 10 000th is passed over.
package pki
