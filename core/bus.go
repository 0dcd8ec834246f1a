package core

// Bus carries requests to responders and brings their answers back to its [Sink].
//
// Publish is called on the requester's goroutine and must return quickly. nil means accepted,
// not delivered; what fails later is reported through Sink.Fail. The bus must call Sink.Sent
// just before the request leaves the process and must drop the request if that returns false.
// Requests of one node leave in the order in which Publish was called.
//
// Sink.Resolve and Sink.Fail call Publish on their own goroutine if the transaction that ends lets
// the next of a serial node out, and completers may call anything: a bus must not hold a lock of its
// own while it calls them. Sink.Sent calls nobody.
//
// The request, its byte slices and its properties are valid only during the call: copy what
// is kept. An error ends the transaction: wrap one of this package's sentinel errors
// ([ErrNotSent], [ErrRefused], [ErrNoSubscriber], [ErrShed], [ErrRuleFailed]) to say as what;
// any other error means ErrNotSent.
type Bus interface {
	Publish(*Request) error
}

// Sink is what a bus sees of the engine.
type Sink interface {
	// Sent marks a transaction as handed over: from now on it can no longer end as
	// not_published by itself. False: it has ended or its deadline has passed, do not send it.
	Sent(ID) bool
	// Resolve takes a message that arrived on the answer topic of a node, whatever it is: the
	// engine decodes, counts and classifies it. True if it completed a transaction. The
	// payload is not kept. It takes as long as the node's Inspect does, and does not block itself.
	Resolve(Answer) bool
	// Fail ends a transaction because of what happened on the bus. False if there was nothing
	// to end, or if err says "never left" of a transaction that was marked sent.
	Fail(ID, error) bool
}

// Binder is implemented by a bus that wants to know its engine. New calls Bind once, before
// anything is published.
type Binder interface {
	Bind(Sink)
}

// Attacher is implemented by a bus that must prepare for a node, by subscribing to its answer
// topic. AddNode calls it once for each node; an error refuses the node.
type Attacher interface {
	Attach(*Node) error
}

// Observer hears of every end and of every answer that completed nothing, those that prolonged a
// transaction ([Extended]) included, outside all locks.
// It must not block and must not keep the byte slices in what it is given.
type Observer interface {
	Ended(*Node, Result)
	Stray(*Node, *Stray)
}
