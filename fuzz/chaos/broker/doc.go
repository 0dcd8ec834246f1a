// Package broker is a small MQTT broker that does what a script says, for tests of what brokers do
// rarely: refuse, forget a session, take over, stay silent, run out of quota, lose, give twice or
// in another order.
//
// It speaks MQTT 5, and 3.1.1 for responders: what comes in as 3.1.1 is turned into MQTT 5 by
// adding empty properties, and goes out without them. It knows the filters + and #, shared
// subscriptions, retained messages, sessions (as long as it runs), subscription identifiers,
// message expiry and receive maximum. It takes QoS 0, 1 and 2, and gives 0 and 1. It knows
// neither wills nor topic aliases, users nor TLS.
//
// One lock guards all of it ([Broker].mu): it is for tests, not for load. Nobody is written to
// under it: each client has a goroutine that reads and one that writes what is queued for it. What
// is queued is bounded; who does not read loses messages ([Options.MaxQueue]).
package broker
