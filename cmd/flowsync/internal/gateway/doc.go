// Package gateway makes a running service of a checked commissioning model: it opens the
// broker, the engine, the HTTP server and the mappings, and closes them again in the order in
// which nothing is lost.
//
// # Words
//
//   - link: the broker as the gateway sees it, external or inside the process.
//   - relay: a running mapping: messages in from subscriptions, through rules, out to a topic.
//   - outlet, intake: how a serverProvides and a serverReceives node read and write their topic.
//
// # What runs where
//
// A node with request rules has a bounded queue and one goroutine of its own, so that a slow rule
// holds up no requester's goroutine and requests leave in order. What does not fit into the queue
// is shed; what has waited until its deadline ends as not_published, without its rules. Response
// rules run on the goroutine that reads answers. A relay, too, has a bounded queue and a
// goroutine, because a subscription's handler must not block; what does not fit is dropped,
// counted and logged, and the request it belonged to ends as a timeout. Rules of a serverReceives
// node run on the requester's goroutine, one request of the node after the other.
//
// # Start and end
//
// [Open] listens on everything before it serves anything, so that a busy port is an error and
// not half a gateway. Serve waits for the broker only as long as it takes to say so in the log:
// requests that come earlier end as not_published. Shutdown stops accepting, drains the engine,
// and then closes server, engine and link.
package gateway
