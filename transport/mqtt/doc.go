// Package mqtt carries requests and answers over an external MQTT 5 broker.
//
// [Dial] checks the options, [Bus.Start] connects. A [Bus] is a core.Bus, core.Binder and
// core.Attacher; [Bus.PublishMessage] and [Bus.Subscribe] carry everything else: what mappings,
// receiving and providing nodes read and write. Responders may speak MQTT 3.1.1; the broker
// must speak MQTT 5. "§" means a section of the MQTT 5.0 standard (OASIS, 2019).
//
// # Connections and their roles
//
//   - A publisher publishes and subscribes to nothing. Clean Start, no session: a request is
//     written once or never, neither paho nor the broker ever sends it again. Every node is
//     pinned to one publisher, so that its requests stay in order.
//   - The answer connection subscribes to the answer topic of every node (QoS 1, Retain
//     Handling 2, Retain As Published 0) and publishes nothing. Its session is kept for 60 s:
//     answers survive a reconnect. A request is published only once the broker has agreed to
//     the subscription of its node.
//   - The listener, if there was a Subscribe, is the same for all other topic filters. It is
//     apart because brokers may deliver a message once for each overlapping subscription: on
//     one connection a mapping of services/# would make every answer arrive twice. Among
//     themselves these filters are told apart by Subscription Identifiers (§3.3.4).
//
// Their client ids are ClientID-p0, -p1 …, ClientID, and ClientID-sub: access rules of the
// broker that go by client id need all of them.
//
// # Who does what
//
//	link        keeps one connection: dial, CONNECT, serve, back-off of 0.1 to 2 s
//	publisher, subscriber   the roles; subscribe.go asks for topic filters
//	conn        a net.Conn for paho; sorts what comes in, writes what has gathered
//	outbox      what waits to be written: queue (QoS 0), window (QoS 1 and 2)
//	room        what waits for a connection
//	encode, decode   PUBLISH and its acknowledgements
//	knowledge   what the broker can do, and whom of our nodes that concerns
//
// paho.golang does CONNECT, SUBSCRIBE, PINGREQ and DISCONNECT. PUBLISH and its acknowledgements
// go past it, both ways, because
//
//   - its objects and their garbage cost more than the rest of the whole path;
//   - an error of its Publish does not tell whether something was sent, its asynchronous one
//     tells no outcome, and its session sends again after the caller has given up. Our window
//     has the reason codes by packet identifier, and drops what has expired unsent;
//   - it queues what arrives for another goroutine, and keeps but the last of several
//     Subscription Identifiers. Here an answer is resolved on the goroutine that read it.
//
// The packet identifiers do not collide: on a publisher all are ours, on the others all of the
// client's are paho's. autopaho is not used: the connection must be subscribed before it counts
// as up, which its callbacks cannot say, and the loop that can is shorter than its options.
//
// # Writing
//
// Publish appends a whole packet to a buffer and returns. One goroutine for each connection
// writes what has gathered: at once when idle, many packets in one write under load. Before it
// writes it lets run whoever is ready to, which are those who have more to write. Just
// before a block of at most about 32 KiB goes to the socket, Sink.Sent is asked for each
// request in it; the kernel's send buffer is kept small too. When the connection ends, what
// was handed over stays held, what was not ends as not published. Acknowledgements and pings
// overtake.
//
// What has waited says how much time is left when it is handed over: Message Expiry and
// flowsync-timeout-ms are corrected in the packet (timeleft.go). From there on the expiry does what
// is to be done, in the kernel's buffer and in the broker.
//
// More than Options.Backlog bytes: ErrShed. Of one node no more may wait than three times what is
// still free (account.go): a node that floods its connection has three quarters of the backlog,
// and the others on it are not shed because of it. They wait for what was accepted before them,
// so at most as long as the broker takes for Options.Backlog bytes. A broker that stops reading
// costs no more memory than that: what waits ends as not published at its deadline, and its bytes
// are given back when its turn comes, unsent.
//
// # Waiting for a broker
//
// Requests of a node with core.NodeOptions.Wait wait while there is no connection to publish on, or
// the subscription to their answers is not made: before the first connection, between two, and
// what a connection had accepted and not handed over when it ended goes back. They leave in their
// order as soon as both are there (room.go). Options.Backlog bounds what waits for each connection,
// as it does what waits on it. What the broker refuses is not waited for. Nobody waits longer than
// his deadline, nor for a bus that is closed: both end as not published.
//
// # What the broker says to a request
//
// With QoS 1 and 2 its reason code counts. From 0x80 on it has refused the request: not published.
// 0x10 says that nobody is subscribed, which ends requests of nodes with core.NodeOptions.FailFast
// as no subscriber, unless they are retained. MQTT lets a broker choose whether to say it (§3.4.2.1);
// mosquitto does to QoS 1. The acknowledgement and the answer come on different connections: when
// somebody answers first that is the answer, and what the broker says is only counted.
//
// So that nobody relies on what does not come, a probe is published when there is a node that fails
// fast, each time that the first publisher connects: without payload, to the topic of the first such
// node with /probe behind it, of QoS 1, never retained, with an expiry of a second. [Bus.Broker] has
// what it showed beside what CONNACK says. A broker that twice ends the connection instead of answering
// is not asked again. Without such a node there is none: a broker with access
// rules logs what it refuses, and nobody needs to know.
//
// # When a broker is given up
//
//	no CONNACK                       after Options.DialTimeout
//	no SUBACK                        after 10 s
//	it is gone without a word        after 10 to 15 s (Linux: TCP_USER_TIMEOUT and TCP's own probes);
//	                                 at most after twice Options.KeepAlive
//	it takes nothing while we have something to write   likewise
//	it takes all and says nothing    after twice Options.KeepAlive
//	what it sends is not MQTT 5      at once
//
// What was handed over until then may have been done and ends as timeout, what waited behind it was
// not. The next attempt comes after 0.1 to 2 s, at random: gateways that lost the same broker come
// apart. Each loss is logged with its reason and counted ([Stats]).
//
// # Who blocks
//
// Publish and PublishMessage never wait for the network. Sink.Resolve and handlers run on the
// goroutine that reads; handlers must not block. Completers of requests that a connection left
// behind run on its writing goroutine.
//
// # Who is told what
//
// Errors of Publish and PublishMessage, and what requests end with, reach requesters: they name
// neither the broker's address nor why it cannot be reached. That is in the log, at the loss of
// the connection, and in the error of Start.
package mqtt
