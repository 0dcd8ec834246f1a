//go:build linux

// Chaos is a fault campaign against a real gateway: a flowsync process, a broker, a responder and
// requesters over HTTP and OPC UA, with everything going wrong that goes wrong in plants. Every request,
// publish, answer and reply is recorded, and what was recorded is checked: who was told what, and was
// it true? It never gives a wrong answer, never hangs, and loses nothing that it accepted: that is what
// this is to disprove.
//
//	scripts/chaos short        half a minute, for continuous integration
//	scripts/chaos long         a million requests, more than 200 faults
//	scripts/chaos planted      bugs are planted, and the checker must find them
//	scripts/chaos overload 10m more than the gateway can do
//	scripts/soak 1             an hour of ordinary load, which must not make anything grow
//
// # The site
//
//	requesters ── gateway ── tap ── broker ── tap ── responder
//
// Gateway, mosquitto and responder are processes, so that they can be killed (SIGKILL), stopped (SIGSTOP) and
// asked to end (SIGTERM); requesters, taps and package broker are in this one. A campaign has a part with
// mosquitto, one with a broker that does what brokers do rarely, and one with the broker that is in the
// gateway. There the tap stands before the responder only, and what the gateway has published is
// not known for sure: the checker is told, and looks at less.
//
// With root the gateway runs in a network namespace with one cable to the broker and one to its
// requesters, its state directory is a file system that can be full. With -clock it is built with a wall
// clock that can be set (package planted): the clock of the machine is left alone. Everything listens on the
// loopback or on addresses that exist in those namespaces only, is bounded, and is gone in the end, also
// after Ctrl-C; processes also after SIGKILL.
//
// # The schedule and the seed
//
// The seed decides which faults there are, when and for how long, what they do in detail, and what
// each request is like (packages schedule and requester). It is told at the beginning and in the
// end; -seed repeats it, and the schedule's hash shows that it is the same. When processes run is up to the machine, so
// a run is repeated as far as machines repeat anything.
//
// # What must hold
//
// Package history has the rules. Besides: no process ends by itself, nobody gets a reply to what he has not asked,
// nothing is refused for reasons that are none (404), the gateway ends well when it is asked to, and
// after the last fault most requests are answered again. A machine that is shared stands still now and
// then; that is measured, told, and excuses what was late.
package main
