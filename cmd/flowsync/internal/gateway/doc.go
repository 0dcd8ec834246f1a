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
//   - table, journal: the idempotency keys of all nodes, and where they are kept on a disk.
//   - ends: how transactions ended, as responders are told on the tend topics.
//
// # The way of a request
//
// door → table → engine → request rules → table → link. The table is there twice: before the engine
// it finds out what a request is to an earlier one with its key, and before the link it has the key
// written down, so that nothing leaves which could be sent again after a crash. Without a node with
// keys there is no table, without --state no journal. An answer goes link → engine → response rules
// → the table, which keeps it → the protocol's check → door.
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
// logged, and the Variable keeps the last. Ends have a queue and a goroutine too, since the engine
// tells of them on any goroutine, those of the link included; one that does not fit, or cannot be
// published, is counted, and logged at debug.
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
// values are taken any more, last values are still given. Whoever waits for the late answer to an
// earlier request with his key is refused too: he can ask again. When nothing is held, or at the end of
// the drain time, it closes engine, rules, servers, mappings (which map what they have been given, for a
// second), ends, link, table and journal, in this order. Connections that do not end are cut.
package gateway
