package responder

import (
	"strings"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

const (
	requestSuffix = "/treq"
	answerSuffix  = "/tres"
)

// filterOf is what to subscribe to for a topic that somebody gave: a filter that ends in #
// and a request topic as they are, a node topic with the suffix of requests.
func filterOf(topic string) string {
	if topic == "" || topic == "#" || strings.HasSuffix(topic, "/#") || strings.HasSuffix(topic, requestSuffix) {
		return topic
	}
	return topic + requestSuffix
}

// answerTopic is where to answer a request that came on topic, and false if it is none: a
// filter may match more than requests. responseTopic is the MQTT 5 property, empty if absent.
// A request that asks to be answered on a request topic is refused: an echo there would be the
// next request, and so on for ever.
func answerTopic(topic, responseTopic string) (string, bool) {
	node, isRequest := strings.CutSuffix(topic, requestSuffix)
	if !isRequest {
		return "", false
	}
	if responseTopic == "" {
		return node + answerSuffix, true
	}
	return responseTopic, mqtt.ValidateTopic(responseTopic) == nil && !strings.HasSuffix(responseTopic, requestSuffix)
}
