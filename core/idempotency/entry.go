package idempotency

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// scope is what tells keys apart.
type scope struct{ node, user, key string }

// state of an entry, see the package's words.
type state uint8

const (
	inFlight state = iota
	inDoubt
	replied
	freed // the table does not know it any more
)

// entry is what is known of a key. It is the completer of its transaction.
type entry struct {
	table    *Table
	node     *node
	identity [sha256.Size]byte
	// key goes with the request. Its address tells this entry from a later one with the same key.
	key *core.Key

	// Below: guarded by the table's lock.
	state    state
	id       core.ID   // zero until it is published or refused
	until    time.Time // its window
	place    int       // among the table's windows; -1: not there, it goes as soon as it is idle
	cost     int64     // bytes that it takes
	message  []byte    // the reply, if it is replied; never written to
	late     []byte    // an answer that came after its transaction ended, and before Complete
	waiters  []*waiter
	staying  int  // waiters that are not leaving
	passed   bool // its request was given to the next bus, and may have left
	recorded bool // the store may have a record of it
}

// entryCost is what an entry takes besides its texts, in bytes, about.
const entryCost = 512

func (e *entry) scope() scope { return scope{e.node.name, e.key.User, e.key.Text} }

// idle says that neither the engine nor a requester needs it.
func (e *entry) idle() bool { return e.state != inFlight && len(e.waiters) == 0 }

// identityOf is the same for requests that are the same. No value is null, as in a request.
func identityOf(call *core.Call) (sum [sha256.Size]byte) {
	h := sha256.New()
	value := call.Value
	if len(value) == 0 {
		value = []byte("null")
	}
	writeLen(h, len(value))
	h.Write(value)
	writeLen(h, len(call.Key.Parameters))
	h.Write([]byte(call.Key.Parameters))
	h.Sum(sum[:0])
	return sum
}

func writeLen(h hash.Hash, n int) {
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(n))
	h.Write(length[:])
}

// addLocked makes an entry known.
func (t *Table) addLocked(e *entry) {
	t.entries.put(e.scope(), e)
	e.cost = entryCost + int64(len(e.key.User)+len(e.key.Text)+len(e.message))
	t.bytes += e.cost
	e.node.stats.Keys++
	t.windows.add(e)
}

// enterLocked changes the state.
func (e *entry) enterLocked(s state) {
	if e.state == inDoubt {
		e.node.doubtful--
	}
	if e.state = s; s == inDoubt {
		e.node.doubtful++
	}
	switch s {
	case inDoubt:
		e.table.ids.put(e.id, e)
	case replied, freed:
		e.table.ids.remove(e.id)
	}
}

// identifyLocked notes the id of the transaction, under which an answer may come.
func (e *entry) identifyLocked(id core.ID) {
	if e.state == inFlight && !id.IsZero() {
		e.id = id
		e.table.ids.put(id, e)
	}
}

// keepLocked takes a reply over, if there is room for it.
func (e *entry) keepLocked(message []byte) {
	t := e.table
	e.late = nil
	if t.bytes+int64(len(message)) > t.options.MaxBytes {
		e.node.stats.Unkept++
		e.enterLocked(inDoubt)
		return
	}
	e.message = message
	e.cost += int64(len(message))
	t.bytes += int64(len(message))
	e.enterLocked(replied)
	if e.recorded {
		t.writeLocked(write{record: e.recordLocked(), node: e.node})
	}
}

// forgetLocked makes the key free.
func (t *Table) forgetLocked(e *entry) {
	t.entries.remove(e.scope())
	t.windows.remove(e)
	t.bytes -= e.cost
	e.node.stats.Keys--
	e.enterLocked(freed)
	if e.recorded {
		t.writeLocked(write{forget: e.scope(), node: e.node})
	}
}

// recordLocked is what the store is to keep. The window is in wall clock time there.
func (e *entry) recordLocked() *Record {
	return &Record{
		Node: e.node.name, User: e.key.User, Key: e.key.Text, Identity: e.identity,
		ID: e.id, Until: e.table.wall().Add(time.Until(e.until)).Round(0), Message: e.message,
	}
}
