// Package e2e tests the program as its users meet it: the binary is built once, started with
// commissioning files on free ports, asked over HTTP, answered over MQTT, and judged by its
// replies, its metrics and its exit code. There is nothing in it but tests.
//
// Tests in files *_peers_test.go need mosquitto and its clients, and carry the build tag peers.
// All others need Go only. How many requests the load tests send is a flag:
//
//	go test ./cmd/flowsync/e2e -e2e.requests=200000
//
// Under the race detector the binary is built with it too.
package e2e
