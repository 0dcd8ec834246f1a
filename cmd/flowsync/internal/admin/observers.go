package admin

import "github.com/flowsync-go/flowsync/core"

// Observers is several observers as one, told in their order.
type Observers []core.Observer

// Ended implements [core.Observer].
func (all Observers) Ended(node *core.Node, r core.Result) {
	for _, o := range all {
		o.Ended(node, r)
	}
}

// Stray implements [core.Observer].
func (all Observers) Stray(node *core.Node, s *core.Stray) {
	for _, o := range all {
		o.Stray(node, s)
	}
}
