package space

import (
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
	for _, w := range n.watchers.list {
		if w != nil {
			w.Changed(v)
		}
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
	n.watchers.add(w)
	return n.Load()
}

// Unwatch ends it. A Changed that is under way may still arrive.
func (n *Node) Unwatch(w Watcher) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.watchers.remove(w)
}

// watchers are those of a node, in the order in which they came. A node may have very many, and
// they come and go in any order. The zero value has none.
type watchers struct {
	list []Watcher       // nil: one that has gone
	at   map[Watcher]int // where in the list; nil: there are none
}

func (ws *watchers) add(w Watcher) {
	if _, ok := ws.at[w]; ok {
		return
	}
	if ws.at == nil {
		ws.at = map[Watcher]int{}
	}
	ws.at[w] = len(ws.list)
	ws.list = append(ws.list, w)
}

func (ws *watchers) remove(w Watcher) {
	i, ok := ws.at[w]
	if !ok {
		return
	}
	delete(ws.at, w)
	ws.list[i] = nil
	switch {
	case len(ws.at) == 0:
		*ws = watchers{}
	case len(ws.list) > 2*len(ws.at):
		ws.compact()
	}
}

// compact leaves out those that have gone. They are as many as those that are left, at least, so
// that it costs each that goes a constant time.
func (ws *watchers) compact() {
	list := make([]Watcher, 0, len(ws.at))
	at := make(map[Watcher]int, len(ws.at)) // maps do not shrink
	for _, w := range ws.list {
		if w != nil {
			at[w] = len(list)
			list = append(list, w)
		}
	}
	ws.list, ws.at = list, at
}
