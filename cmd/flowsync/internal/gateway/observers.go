package gateway

import "github.com/flowsync-go/flowsync/core"

// observers is several observers as one, told in their order.
type observers []core.Observer

// Ended implements core.Observer.
func (all observers) Ended(node *core.Node, r core.Result) {
	for _, o := range all {
		o.Ended(node, r)
	}
}

// Stray implements core.Observer.
func (all observers) Stray(node *core.Node, s *core.Stray) {
	for _, o := range all {
		o.Stray(node, s)
	}
}
