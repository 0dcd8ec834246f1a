//go:build linux

package main

import (
	_ "embed"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
	"github.com/flowsync-go/flowsync/fuzz/chaos/requester"
)

// plant is the commissioning file of the gateway.
//
//go:embed plant.yaml
var plant string

// service is the service id in it.
const service = "chaos"

// window is how long idempotency keys are kept.
const window = 2 * time.Minute

const ms = time.Millisecond

// nodes are those of the file. A test compares.
var nodes = []requester.Node{
	{Name: "plain", Door: history.HTTP, Kind: requester.Post, Place: "/data/plain", Share: 24, Timeout: 400 * ms},
	{Name: "query", Door: history.HTTP, Kind: requester.Get, Place: "/data/query/", Share: 6, Timeout: 300 * ms},
	{Name: "sure", Door: history.HTTP, Kind: requester.Post, Place: "/data/sure", Share: 10, Timeout: 500 * ms},
	{Name: "serial", Door: history.HTTP, Kind: requester.Post, Place: "/data/serial", Share: 2, Timeout: 300 * ms, Serial: true},
	{Name: "narrow", Door: history.HTTP, Kind: requester.Post, Place: "/data/narrow", Share: 3, Timeout: 400 * ms},
	{Name: "keyed", Door: history.HTTP, Kind: requester.Post, Place: "/data/keyed", Share: 5, Timeout: 400 * ms, Window: window},
	{Name: "substitute", Door: history.HTTP, Kind: requester.Post, Place: "/data/substitute", Share: 5, Timeout: 250 * ms},
	{Name: "impatient", Door: history.HTTP, Kind: requester.Post, Place: "/data/impatient", Share: 4, Timeout: 400 * ms, FailFast: true},
	{Name: "waiting", Door: history.HTTP, Kind: requester.Post, Place: "/data/waiting", Share: 4, Timeout: 800 * ms, Wait: true},
	{Name: "patient", Door: history.HTTP, Kind: requester.Post, Place: "/data/patient", Share: 3, Timeout: 300 * ms, MaxExtend: 300 * ms},

	{Name: "call", Door: history.OPCUA, Kind: requester.Method, Place: "Call", Share: 20, Timeout: 400 * ms},
	{Name: "sureCall", Door: history.OPCUA, Kind: requester.Method, Place: "SureCall", Share: 8, Timeout: 500 * ms},
	{Name: "serialCall", Door: history.OPCUA, Kind: requester.Method, Place: "SerialCall", Share: 2, Timeout: 300 * ms, Serial: true},
	{Name: "narrowCall", Door: history.OPCUA, Kind: requester.Method, Place: "NarrowCall", Share: 3, Timeout: 400 * ms},
	{Name: "keyedCall", Door: history.OPCUA, Kind: requester.Method, Place: "KeyedCall", Share: 4, Timeout: 400 * ms, Window: window},
	{Name: "substituteCall", Door: history.OPCUA, Kind: requester.Method, Place: "SubstituteCall", Share: 4, Timeout: 250 * ms},
	{Name: "impatientCall", Door: history.OPCUA, Kind: requester.Method, Place: "ImpatientCall", Share: 3, Timeout: 400 * ms, FailFast: true},
	{Name: "waitingCall", Door: history.OPCUA, Kind: requester.Method, Place: "WaitingCall", Share: 3, Timeout: 800 * ms, Wait: true},
	{Name: "patientCall", Door: history.OPCUA, Kind: requester.Method, Place: "PatientCall", Share: 3, Timeout: 300 * ms, MaxExtend: 300 * ms},
	{Name: "plainText", Door: history.OPCUA, Kind: requester.Write, Place: "PlainText", Share: 6, Timeout: 400 * ms},
	{Name: "sureText", Door: history.OPCUA, Kind: requester.Write, Place: "SureText", Share: 4, Timeout: 500 * ms},
}
