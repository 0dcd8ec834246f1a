// Package transporttest holds the conformance suites that every transport passes: [Bus] for
// what carries requests to responders, [Server] for what accepts them from requesters.
//
// It is an ordinary package: run the suites for a transport of your own from its tests.
//
//  1. Write a rig: a type that sets up the transport with everything it needs around it (a
//     broker, sockets on free loopback ports) and speaks for the far side of it. For a bus that
//     is [BusRig] with its [Peer], for a server [ServerRig] with its [Requester].
//  2. Write a factory that returns a fresh rig for one case and fails the test if it cannot:
//     [BusFactory] or [ServerFactory].
//  3. Say with [Features] what your bus has no notion of; those cases are left out. If the bus
//     can lose what it is connected to, let the rig implement [Breaker] too.
//  4. Call transporttest.Bus(t, factory) or transporttest.Server(t, factory) from a test.
//
// Each case makes its own rig and engine, uses topics that no other case uses, checks at its end
// that the counters add up, and then that no goroutine is left that was not there before. Cases
// do not run in parallel, and a test that calls a suite must not either.
//
// Cases wait for events, never for a time to pass; only where nothing shall happen do they send
// something after it that shall happen, and look what has come in between. An event that does
// not come within [Patience] fails the case.
package transporttest

import "time"

// Patience is how long the suites wait for something that must happen.
const Patience = 10 * time.Second

var patience = Patience // tests of this package that wait in vain have less
