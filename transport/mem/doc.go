// Package mem is a bus inside the process: a small broker that keeps the rules of MQTT where
// they matter to the engine, for tests, simulations and for embedding the engine with responders
// that are Go functions.
//
//	bus, err := mem.New(mem.Options{})
//	engine, err := core.New(bus, core.Options{})
//	node, err := engine.AddNode(core.NodeOptions{Name: "mayStart", Topic: "line1/mayStart"})
//	stop, err := bus.Respond(node.Topic(), func(r *mem.Request) { r.Answer([]byte("true")) })
//
// # How a message travels
//
//  1. [Bus.Publish] and [Bus.Send] copy it into the outbox and return. The outbox and what is on
//     its way are bounded by Options.Limit: above it a request is shed and Send fails.
//  2. One goroutine takes messages from the outbox in order. A request is marked sent here, and
//     dropped if it has ended meanwhile or its deadline has passed. From here on it counts as
//     having left the process.
//  3. The network decides its fate: see below. Without faults it arrives at once.
//  4. On arrival it is given to all subscribers of its topic, and to the engine if it is the
//     answer topic of a node. Nobody there: it is lost, as with QoS 0. A request of a node that
//     fails fast (core.NodeOptions.FailFast) does not leave if nobody is subscribed at step 2.
//
// Handlers, and with them the engine's completers, run on that one goroutine and must not block.
// To answer later keep the [Request], which stays valid, and answer from elsewhere.
//
// # Faults
//
// Options has [Faults] for each direction. Fate follows from the seed and from the place of a
// message among all of its direction: with the same seed, the same messages in the same order
// meet the same faults. Delays pass on the clock of package time, so that testing/synctest can
// invent them. [Bus.Disconnect] takes the broker away, [Bus.Connect] brings it back.
package mem
