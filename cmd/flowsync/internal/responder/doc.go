// Package responder answers requests that arrive over MQTT, well or badly as it is told: the
// other side of a gateway, to try it out and to test it with. It is what "flowsync respond" runs.
//
// # Words
//
//   - request: a message on <node topic>/treq with id, timestamp and value.
//   - act: what is done with one request ([Answer], [Silence] …). The script draws it.
//   - share: how many of a hundred requests an act is drawn for. What no share takes is
//     answered plainly.
//   - waiting: an answer whose delay is not over.
//
// # What runs where
//
// paho's reading goroutine decodes a request, draws its act and delay, and puts the finished
// answer into the schedule. One goroutine takes what is due and publishes it. The connection
// gathers what is written and sends it in blocks (conn.go), which is what lets one core answer
// tens of thousands of requests a second. A third goroutine keeps the connection and subscribes
// again after a loss.
//
// Everything is bounded: waiting answers in number and bytes (what does not fit is dropped and
// counted as overflow), the ids that are remembered to notice a request that comes twice, and
// what the connection gathers (publishing waits then).
//
// # Why not transport/mqtt
//
// This is the peer that the gateway is tested with. It has an MQTT client and a JSON decoder of
// its own (paho and encoding/json), so that a misunderstanding in the gateway's is not answered
// by the same one here. It speaks MQTT 5; a responder in MQTT 3.1.1 is a few lines around
// mosquitto_sub and mosquitto_pub.
package responder
