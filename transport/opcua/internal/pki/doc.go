// Package pki keeps the server's own certificate and the folder of certificates that it trusts
// (OPC 10000-12, 7.8.3 for the layout of the folders; OPC 10000-6, 6.2.2 for what an application
// instance certificate holds; OPC 10000-4, 6.1.3 for how one is judged).
//
//	DIR/own/certs/flowsync.der    made once
//	DIR/own/private/flowsync.pem  its key, readable by the owner only
//	DIR/trusted/certs/            certificates (DER or PEM) of clients that may connect
//	DIR/rejected/certs/           where the certificate of a client that was refused is put
//
// An operator trusts a client by moving its file from rejected to trusted; no restart is
// needed. Rejected ones are bounded in number (100, the oldest goes) and size.
package pki
