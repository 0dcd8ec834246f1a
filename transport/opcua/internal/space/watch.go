package space

import (
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Load returns a Variable's value; of a live one that of now. Not to be changed. nil for nodes
// of other classes. It takes no lock.
func (n *Node) Load() *ua.DataValue {
	if n.live != nil {
		return n.live(time.Now())
	}
	return n.value.Load()
}

// Store replaces a Variable's value, which the node owns from now on, and tells the watchers.
// A missing source timestamp becomes now. The value of a live node cannot be replaced.
func (n *Node) Store(v *ua.DataValue) {
	if n.live != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if v.SourceTimestamp.IsZero() {
		v.SourceTimestamp = time.Now()
	}
	v.UpdateMask()
	n.value.Store(v)
	for _, w := range n.watchers {
		w.Changed(v)
	}
}

// Live says that Load computes: there are no changes to hear of, it must be sampled.
func (n *Node) Live() bool { return n.live != nil }

// Watcher hears of changes.
type Watcher interface {
	// Changed is called with the node's lock held, in order; it must not call the node.
	Changed(v *ua.DataValue)
}

// Watch makes w hear of changes from now on, and returns the value that holds now. w must be
// comparable; each is added once.
func (n *Node) Watch(w Watcher) *ua.DataValue {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.watchers, w) {
		n.watchers = append(n.watchers, w)
	}
	return n.Load()
}

// Unwatch ends it. A Changed that is under way may still arrive.
func (n *Node) Unwatch(w Watcher) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := slices.Index(n.watchers, w); i >= 0 {
		n.watchers = slices.Delete(n.watchers, i, i+1)
	}
}
