package transporttest

import (
	"context"
	"testing"

	"github.com/flowsync-go/flowsync/core"
)

// ServerFactory makes a fresh server for one case that offers a transaction on each of the
// nodes, and starts it. It fails t if it cannot. The engine outlives the server.
type ServerFactory func(t *testing.T, engine *core.Engine, nodes []*core.Node) ServerRig

// ServerRig is a server under test.
type ServerRig interface {
	// Requester makes a new client of the server. Clients share nothing, so that one can go
	// away without harm to another.
	Requester() (Requester, error)
	// Shutdown stops accepting requests and returns when those that were held have got their
	// replies, or with the error of the context; connections with a held request stay open even
	// then. The suite drains the engine meanwhile.
	Shutdown(ctx context.Context) error
	// Close closes the server and its requesters at once. No goroutine remains. Further calls
	// do nothing. It may be called after Shutdown.
	Close() error
}

// Valuer is implemented by a rig whose protocol carries more than JSON strings.
type Valuer interface {
	// Values are further values, as JSON text, that come back byte for byte when the responder
	// answers with what it was asked.
	Values() []string
}

// Requester is a client of a server. One goroutine at a time uses it.
type Requester interface {
	// Request asks node and returns the reply. The suite asks with JSON strings, and with what
	// [Valuer] says; a protocol may wrap them on the way to the responder (an argument by its
	// name), if the reply is unwrapped again. When ctx ends first it goes away as clients of
	// the protocol do, by closing its connection, and returns the context's error: the server
	// must notice. After an error the requester is not used any more.
	Request(ctx context.Context, node *core.Node, value []byte) (Reply, error)
	// Close closes the connection. Further calls do nothing.
	Close() error
}

// Reply is a reply of the protocol in neutral terms.
type Reply struct {
	// Outcome is what the reply says the transaction ended as.
	Outcome core.Outcome
	// Value is the JSON text of the value if it was answered; null if the reply had none.
	Value []byte
	// Code and Message are those of the responder if the protocol hands them on; the suite
	// compares them if they are set.
	Code    int64
	Message string
}
