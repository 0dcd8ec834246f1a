package embedded

import "sync"

// retained keeps account of what the retained messages take, because the broker keeps as many as
// it is given.
type retained struct {
	limit int
	mu    sync.Mutex // guards the rest; leaf
	sizes map[string]int
	total int
}

// topicOverhead is what a retained message takes besides topic and payload, in bytes, about.
const topicOverhead = 1024

// admit says whether a message may be retained, and counts it if so. One without payload
// removes what was there.
func (r *retained) admit(topic string, payload int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := r.sizes[topic]
	if payload == 0 {
		r.total -= before
		delete(r.sizes, topic)
		return true
	}
	size := len(topic) + payload + topicOverhead
	if r.total-before+size > r.limit {
		return false
	}
	r.total += size - before
	r.sizes[topic] = size
	return true
}

// forget is told that the broker has removed a message.
func (r *retained) forget(topic string) { r.admit(topic, 0) }

func (r *retained) bytes() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int64(r.total)
}
