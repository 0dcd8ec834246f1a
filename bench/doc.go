// Package bench measures servers of this project from outside: each runs in a process of its own,
// asked by a lean client in this one. Next to it, compare is a module of its own with what others
// make of the same work.
//
// # Words
//
//   - server: what is measured; one kind of it has a name ([Servers]).
//   - backend: what is behind every server, the same for all: an engine on a bus inside of the
//     process, and a responder that answers with the value it was asked with, or keeps requests.
//   - workload: what is asked of a server, and how ([Workload]).
//   - window: the time in which is measured. What comes before warms up, what comes behind is
//     waited for but not counted.
//   - round: one run of each of several workloads. Rounds alternate, so that a machine that
//     becomes slower does so for all of them.
//
// # What is measured, and how far to trust it
//
// The cost of a request is the CPU time, user and system, of the server's process alone, as the
// operating system has it, by the number of answers in the window: garbage collection, the system
// calls for the sockets, the engine, the bus and the responder are in it, the client is not. Client
// and server share the machine, so requests a second and times of answers are of both; the loop is
// closed, so they say nothing about waiting at a given rate. Machines differ, and so do hours on a
// machine that is shared: compare figures of one run only.
//
// No figure counts unless each request got its own answer. Each carries a text of its own; an
// answer is compared with it byte by byte. Requests without an answer are lost, answers to nothing
// that is asked are duplicates, and any other difference is wrong.
//
// # Running
//
//	go test -bench OPCUA ./bench
//	cd bench/compare && go test -bench OPCUA
//	bench/record > bench/results/opcua.txt
//
// One iteration is a whole campaign of rounds, so that one is run unless -benchtime says otherwise.
// -bench.rounds, -bench.window and -bench.inflight change it; -bench.profile FOLDER
// leaves CPU and allocation profiles of each server there. The benchmarks need an operating system
// that tells a process's CPU time, and can start the test binary again.
package bench
