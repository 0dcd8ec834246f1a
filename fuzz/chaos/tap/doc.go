// Package tap is a TCP proxy between MQTT clients and their broker that understands MQTT's framing:
// it tells of every packet before it forwards it, and does what bad networks do.
//
// Each connection has two directions. In each of them one goroutine reads whole packets, tells
// [Hooks.Seen] of them, applies the faults that are on ([Tap.Inject]) and queues them; another one
// takes them from the queue when their time has come, tells [Hooks.Forwarding], and writes them. So
// the order of what is known is that of what is done:
//
//  1. the last byte of a packet has been read: Seen;
//  2. the faults have said what becomes of it;
//  3. Forwarding, unless it was dropped, swallowed or cut; if it was changed, as it is now;
//  4. its first byte is forwarded.
//
// How a side ends is passed on: FIN as FIN, RST as RST, what is queued first.
//
// MQTT allows no loss within a connection: [Drop] of anything but QoS 0 is a broken network device
// or broker, and [DropBytes], [CorruptFraming] and [CutShort] break the stream. All are there,
// because a gateway must not lie under any of them.
//
// Which packets are hit is decided by a generator for each connection and direction, seeded by
// [Options.Rand]: it depends on the packets that came before on the same connection, and not on
// how goroutines run.
//
// What is queued is bounded by 4 MiB and 4096 packets for a direction, connections by 1024; who
// sends more than is taken waits, as with any proxy. [Tap.Close] ends all of it.
//
// Sources: MQTT 5.0 sections 2.1 (framing), 3.1 (CONNECT), 3.3 (PUBLISH), 3.4 and 3.5 (PUBACK, PUBREC).
package tap
