// Package embedded is an MQTT broker inside the process, and the bus that runs on it: what a
// gateway uses when it is tried out, or when it and its responders share one machine.
//
// [Start] opens the port. Responders connect to it over TCP, with MQTT 3.1.1 or 5; the gateway
// itself uses no connection: a [Broker] is a core.Bus, core.Binder and core.Attacher, and carries
// other messages by [Broker.PublishMessage] and [Broker.Subscribe]. Nothing is stored: with the
// process all sessions and retained messages are gone.
//
// Everybody who reaches the port may connect, publish and subscribe. It belongs on loopback;
// whoever passes another address to Start answers for that.
//
// # What runs where
//
//   - Publish and PublishMessage run on their caller's stack down into the queues of the clients
//     that subscribed. They never wait for a client.
//   - A request of QoS 0 takes a short way, its node's lane (lane.go), past the broker: it is encoded
//     once and appended to what waits for each client that subscribed. Who asked for something that
//     only the broker keeps account of (a share group, Subscription Identifiers, No Local), and a
//     handler of Subscribe for the same topic, close the lane: then it goes the broker's way. On
//     the short way a client who does not want to hear of problems (Request Problem Information 0)
//     is given user properties all the same, as MQTT 5 §3.1.2.11.7 allows; the broker leaves them
//     out.
//   - A client's message runs on the goroutine that reads that client. An answer is given to
//     [core.Sink.Resolve] right there: Resolve does not block, nothing has to be queued, so no
//     answer can be lost to a full queue, and who answers faster than he can be heard is slowed
//     down by TCP. It cannot recurse, because a request topic is never an answer topic: Publish
//     never resolves on its own stack.
//   - Handlers of Subscribe run on one goroutine, fed by a bounded queue. They may publish, and
//     what they publish may be what they subscribed to: a mapping loop fills the queue and then
//     loses messages, counted and logged, instead of overflowing the stack.
//   - Each client has a goroutine that writes whatever has gathered for him. A client that does
//     not read holds up nobody; when [Options.MaxBacklog] bytes wait for him, or when he takes
//     nothing for ten seconds, he is disconnected. So is who reads without acknowledging.
//   - Messages of QoS 1 and 2 above a client's Receive Maximum wait with his connection (window.go),
//     and count as what waits to be written. Their message expiry is that of the moment in which
//     they began to wait.
//   - All clients share [Options.MaxBacklogTotal]. When it is exceeded, the one for whom most waits
//     is disconnected, on the stack of whoever publishes, and what waited for him is dropped.
//
// # What may be lost, and who hears of it
//
// Delivery to a client is at most once in QoS 0, and MQTT has no more than 65 535 packet ids for
// QoS 1 and 2. Who is given up for what he does not acknowledge, or for the total, loses that even
// if his session outlives the connection; a session that gathers too much while its client is away
// is emptied. What the broker drops is counted ([Stats]) and logged once a second at most. A
// request that was dropped on its way to its only responder was handed over: it ends as timeout.
// A request whose topic has a handler is refused beforehand when the queue of the handlers is full.
// One of a node that fails fast (core.NodeOptions.FailFast) is not handed over when nobody is
// subscribed to it: heard.go says who counts. Nodes that wait never have to, for the broker is
// there as long as the bus is.
//
// # Why not the broker's own inline client
//
// The broker is mochi-mqtt/server v2.7.9. Its Publish cannot carry properties; packets are
// injected instead, through a client of ours that speaks MQTT 5. Its inline subscriptions are
// called on the publisher's stack, take a live message that its sender marked retain for a
// stored one, match neither "a" with "a/#" nor keep "$SYS" from "#", and copy three maps for
// each message. The hook that is called after each publish has none of that, and costs a map look-up.
// Its listener does not wait for clients that have just connected when it is closed, and bounds
// neither them nor the time until their CONNECT; ours does. Its writes hold a lock that a publisher
// of QoS 1 needs too; they go into a backlog of ours, so that the lock is never held for long. It
// bounds what is not acknowledged by number only; its hooks tell us enough to count bytes.
//
// Of its faults, these are kept from doing harm; once they are mended there, the code can go:
//
//   - Its flow control takes a read lock twice on one stack (inflight.go, NextImmediate), which
//     locks up the whole broker within a second of load, and loses count of a client's quota: ours
//     is in window.go, where it is told as a story.
//   - It counts a client's PUBREC as a message from him, and then disconnects him: unreleased.go.
//   - It gives new messages to a client before his CONNACK, and again with what waits in his
//     session: they wait for both in window.go, and are given once.
//   - Its topic aliases outlive the connection that knew them: it is not told that clients take any.
//   - Shared subscriptions with a wildcard in front match topics that begin with $: misread.go.
//   - It grants a shared subscription of a shared subscription and gives it nothing: it is refused
//     there.
//   - Subscriptions outlive an expired session: OnClientExpired in session.go ends them.
//
// One is not: a client that subscribes to a/+/# is not given what is published on a/b, as he should
// be; he is named in the log, with the filter to add.
//
// Not in any of these bounds is what its own queues hold between publisher and backlog: at most
// [Options.MaxInFlight] messages for each client, which are moved on without waiting for the client.
package embedded
