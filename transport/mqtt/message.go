package mqtt

// Message is one MQTT message outside the request and answer path: what mappings, receiving
// and providing nodes read and write.
type Message struct {
	Topic       string
	Payload     []byte
	QoS         byte
	Retain      bool
	ContentType string // MQTT 5 Content Type; empty: none
}

// Handler is given a message that matched a subscription. It runs on the goroutine that reads
// from the broker and must not block; the payload is valid only during the call.
type Handler func(Message)
