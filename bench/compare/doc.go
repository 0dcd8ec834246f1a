// Package compare measures the project's servers beside what others make of the same work, in the
// same run, asked by the same client ([bench]). It is a module of its own, so that the project
// does not depend on what it is compared with.
//
// # gopcua
//
// The server of github.com/gopcua/opcua v0.8.0, which cannot hold a request by itself: its Method
// service is a stub, and its handlers are called one after the other. But a handler may return
// nothing and respond later. One of that kind takes the place of the Call service here: it begins a
// transaction in the same engine as the project's server does, and whoever completes that sends the
// response. This is the most that can be had from it, and every doubt goes in its favour:
//
//   - the response is written by whoever completes the transaction, which costs no goroutine, though
//     a client that does not read would stop the responder;
//
//   - no session, no data types and no rights are looked at, and of the JSON texts there is only
//     what the workload needs;
//
//   - it is measured without security, as Basic256Sha256 does not work on its side.
//
//     go test -bench OPCUA
package compare
