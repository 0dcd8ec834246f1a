package gateway

import (
	"errors"
	"fmt"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/journal"
	"github.com/flowsync-go/flowsync/core/idempotency"
	"github.com/flowsync-go/flowsync/transport/http"
)

// some says whether a transaction node of the model is such a one.
func some(model *commission.Model, such func(*commission.TransactionOptions) bool) bool {
	found := false
	model.EachNode(func(_ *commission.Service, n *commission.Node) { found = found || such(&n.Transaction) })
	return found
}

// openTable makes the table of idempotency keys if a node has any, with what the journal in the
// folder of --state still knows of them.
func (g *Gateway) openTable(model *commission.Model) error {
	if !some(model, func(t *commission.TransactionOptions) bool { return t.Idempotency }) {
		return nil
	}
	options := idempotency.Options{Logger: g.settings.Logger}
	if g.settings.State != "" {
		opened, err := journal.Open(journal.Options{Dir: g.settings.State, Logger: g.settings.Logger})
		if err != nil {
			return fmt.Errorf("--state: the idempotency keys cannot be kept: %w", err)
		}
		g.journal, options.Store = opened, opened
	}
	table, err := idempotency.New(options)
	if err != nil {
		return fmt.Errorf("--state: the idempotency keys cannot be read: %w", err)
	}
	g.table = table
	return nil
}

// tableBus is what requests go through after their rules.
func (g *Gateway) tableBus() bus {
	if g.table == nil {
		return g.link
	}
	return g.table.Bus(g.link).(bus)
}

// doorEngine is what the servers ask: the table, which asks the engine, or the engine itself.
func (g *Gateway) doorEngine() http.Engine {
	if g.table == nil {
		return g.engine
	}
	return g.table
}

// closeTable closes the table and then its journal, which may have to write what the table knows
// only now: that a request ended, and how.
func (g *Gateway) closeTable() error {
	var errs []error
	if g.table != nil {
		errs = append(errs, g.table.Close())
	}
	if g.journal != nil {
		errs = append(errs, g.journal.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("closing the idempotency keys: %w", err)
	}
	return nil
}
