// Package compare measures what this project makes beside what others make of the same work, in the
// same run, asked by the same client ([bench]). It is a module of its own, so that the project
// does not depend on what it is compared with.
//
// # Over HTTP
//
// The gateways of others are programs of a page or two in files of their own, and every doubt goes
// in their favour:
//
//   - echo: fasthttp that answers with what it was asked with. Nothing that holds requests of HTTP
//     can be cheaper.
//   - afternoon: what a Go programmer writes in an afternoon with what is at hand: net/http, autopaho,
//     a map with a mutex, a channel and time.After.
//   - sketch: about the least that does the work: fasthttp, packets of MQTT 3.1.1 made by hand and
//     gathered into few writes, a map and channels. It has no deadlines, no limits, believes
//     everything, and ends with its connection. sketch-embedded has the broker mochi inside.
//   - Node-RED: the flow that one clicks together for it; see nodered/run.
//
// Requests of flowsync carry their response topic, correlation data, expiry, content type, method and
// path as properties of MQTT 5; those of the others carry none. That makes broker and responder
// work more for flowsync, which shows in their cost and in requests a second.
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
//     go test -bench 'OPCUA|HTTP|Publisher|Latency'
package compare
