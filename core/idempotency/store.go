package idempotency

import (
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// Record is what is kept of a key.
type Record struct {
	Node, User, Key string   // Node is the name of the node
	Identity        [32]byte // of the request
	ID              core.ID  // of its transaction, under which an answer may still come
	Until           time.Time
	// Message is the answer after the response rules, JSON text; nil: there is none, and the
	// key is in doubt.
	Message []byte
}

// Store keeps records on a disk. Its methods do not block, and what they ask for happens in
// their order. A record is on disk as a whole or not at all.
type Store interface {
	// Put writes a record, in place of the one with the same node, user and key. done is called
	// once, when it is on disk or cannot be; the store keeps nothing of the record after that. A
	// full queue is an error at once, which wraps [core.ErrShed].
	Put(record *Record, done func(error))
	// Delete forgets a key. If that cannot be written, the key is known again after a restart, and
	// in doubt until its window is over.
	Delete(node, user, key string)
	// Load calls take for each record that is there, which is take's to keep. Once, before anything
	// else; it may block.
	Load(take func(*Record)) error
}
