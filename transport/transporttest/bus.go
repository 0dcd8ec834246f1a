package transporttest

import "testing"

// Bus runs the conformance suite for buses. The bus must be a core.Binder.
func Bus(t *testing.T, factory BusFactory) {
	for _, c := range busCases {
		t.Run(c.name, func(t *testing.T) {
			play(t, factory, c.scene)
		})
	}
}

// busCase is one case. Those that need a feature say so in their scene and end early without it.
type busCase struct {
	name  string
	scene func(*stage)
}

var busCases = []busCase{
	// what answers do: answers.go
	{"Answer", answered},
	{"AnswerBeforePublishReturns", answeredBeforePublishReturns},
	{"AnswerQoS", answeredQoS},
	{"ErrorAnswer", errorAnswer},
	{"UnusableAnswer", unusableAnswer},
	{"Silence", silence},
	{"LateAnswer", lateAnswer},
	{"DuplicateAnswer", duplicateAnswer},
	{"UnknownID", unknownID},
	{"ForeignID", foreignID},
	{"OtherNode", otherNode},
	{"MalformedAnswer", malformedAnswer},
	{"IgnoredAnswer", ignoredAnswer},
	// what a bus does with requests: requests.go
	{"Order", order},
	{"DistinctBodies", distinctBodies},
	{"ManyNodes", manyNodes},
	{"SentBeforeHandOver", sentBeforeHandOver},
	{"SentRefused", sentRefused},
	{"DeadlinePassed", deadlinePassed},
	{"SlicesReused", slicesReused},
	{"BigPayloads", bigPayloads},
	// what only some buses can: features.go
	{"Properties", properties},
	{"CorrelationData", correlationData},
	{"RetainedBefore", retainedBefore},
	{"RetainedLive", retainedLive},
	{"FailFast", failFast},
	{"WaitForStart", waitForStart},
	{"WaitForBroker", waitForBroker},
	// beginning and end: life.go
	{"EngineClosedWithWorkHeld", engineClosed},
	{"BusClosedWithWorkHeld", busClosed},
	{"BrokerGone", brokerGone},
}
