// Package gateway makes a running service of a checked commissioning model: it opens the
// broker, the engine, the HTTP and OPC UA servers and the mappings, and closes them again in the order in
// which nothing is lost.
//
// # Words
//
//   - link: the broker as the gateway sees it, external or inside the process.
//   - relay: a running mapping: messages in from subscriptions, through rules, out to a topic.
//   - outlet, intake: how a serverProvides and a serverReceives node read and write their topic.
//   - door: a server with its listener, HTTP or OPC UA.
//
// # What runs where
//
// A node with request rules has a bounded queue and one goroutine of its own, so that a slow rule
// holds up no requester's goroutine and requests leave in order. What does not fit into the queue
// is shed; what has waited until its deadline ends as not_published, without its rules. Response
// rules run on the goroutine that reads answers. A relay, too, has a bounded queue and a
// goroutine, because a subscription's handler must not block; what does not fit is dropped,
// counted and logged, and the request it belonged to ends as a timeout. Rules of a serverReceives
// node run on the requester's goroutine, one request of the node after the other; for an OPC UA
// client that is the one that reads its connection. Values of a serverProvides Variable are given
// to the OPC UA server on the goroutine that brings them; one that does not fit the data type is
// logged, and the Variable keeps the last.
//
// Rules of a serverReceives node see what is received, those of a serverProvides node what is on
// its topic. A node that is both has one list of rules, which must not change a value twice: they
// see what is received, and what is on the topic is provided as it is, whoever published it.
//
// # Start and end
//
// [Open] listens on everything before it serves anything, so that a busy port is an error and
// not half a gateway. Serve waits for the broker only as long as it takes to say so in the log:
// requests that come earlier end as not_published.
//
// Shutdown goes on accepting while it drains, because a refusal with its reason (503, shutdown)
// is worth more to a requester than a connection that is refused: neither transactions nor
// values are taken any more, last values are still given. When nothing is held, or at the end of
// the drain time, it closes engine, server, mappings (which map what they have been given, for a
// second) and link, in this order. Connections that do not end are cut.
package gateway
