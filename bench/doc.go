// Package bench measures what this project makes from outside: each server runs in a process of its
// own, asked by a lean client in this one. Next to it, compare is a module of its own with what
// others make of the same work.
//
// # Words
//
//   - server: what is measured; one kind of it has a name ([Servers]) and is this program, started
//     again. program: one that is not, such as flowsync itself or another's broker.
//   - workload: what is asked of a server, and how ([Workload]): [OPCUA], [HTTP], [Publishing].
//   - path: the way of a request over HTTP, MQTT and back, as it is put together of processes: a
//     gateway, a responder and a broker ([Path]). site: a path that runs. Workloads share it.
//   - backend: what is behind servers that are not gateways, the same for all: an engine on a bus
//     inside the process, and a responder that answers with the value it was asked with, or keeps
//     requests.
//   - window: the time in which is measured. What comes before warms up, what comes behind is
//     waited for but not counted.
//   - round: one run of each of several workloads. Rounds alternate, so that a machine that
//     becomes slower does so for all of them.
//   - relation: a figure of one workload as a part of that of another, of the same rounds.
//
// # What is measured, and how far to trust it
//
// The cost of a request is the CPU time, user and system, of the server's process alone, as the
// operating system has it, by the number of answers in the window: garbage collection, the system
// calls for the sockets, the engine and the bus are in it, the client is not. Of a path the gateway
// is what counts; broker and responder are told beside it. Whoever asks shares the machine, so
// requests a second and times of answers are of all together. In a closed loop ([HTTP], [OPCUA]) they
// say nothing about waiting at a given rate: that is [ReportLatency], whose loop is open. Machines
// differ, and so do hours on a machine that is shared: compare figures of one run only.
//
// No figure counts unless each request got its own answer. Each carries a text of its own; an
// answer is compared with it. Requests without an answer are lost, answers to nothing that is asked
// are duplicates, and any other difference is wrong.
//
// What the benchmarks of paths hide: all processes are on one machine, and the network is its
// loopback. The responder is `flowsync respond`, which is paho with coalesced writes, and costs as
// much as the gateway. In overload, and only there, one half of the CPUs belongs to the site and the
// other to whoever asks.
//
// # Running
//
//	go test -bench OPCUA ./bench
//	go test -bench 'HTTP|HeldConnections|Start|Publisher|Latency|Overload' ./bench
//	go test -tags peers -bench Mosquitto ./bench
//	cd bench/compare && go test -bench .
//
// One iteration is a whole campaign of rounds, so that one is run unless -benchtime says otherwise.
// -bench.rounds, -bench.window and -bench.inflight change it; -bench.profile FOLDER
// leaves CPU and allocation profiles of each server there that is this program started again.
// -bench.flowsync FILE measures that flowsync, and not one that is built from the source. The
// benchmarks need an operating system that tells a process's CPU time, and can start the test binary
// again; those of paths need Linux.
package bench
