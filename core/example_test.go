package core_test

import (
	"context"
	"fmt"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// loopback is the smallest possible bus: it answers every request itself.
type loopback struct{ sink core.Sink }

// Bind is called once by core.New.
func (b *loopback) Bind(sink core.Sink) { b.sink = sink }

// Publish must not block and must not keep the request.
func (b *loopback) Publish(r *core.Request) error {
	if !b.sink.Sent(r.ID) { // it ended meanwhile, or its deadline has passed
		return nil
	}
	answer := fmt.Appendf(nil, `{"id":"%s","value":{"asked":%s}}`, r.ID, r.Value)
	b.sink.Resolve(core.Answer{Node: r.Node, Payload: answer})
	return nil
}

func Example() {
	engine, err := core.New(&loopback{}, core.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{
		Name: "mayStart", Topic: "services/line1/mayStart", Timeout: 500 * time.Millisecond,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	result := engine.Do(context.Background(), &core.Call{Node: node, Value: []byte(`{"order":4711}`)})
	fmt.Println(result.Outcome, string(result.Value))
	// Output: answered {"asked":{"order":4711}}
}

// A bus that loses everything: the transaction ends at its deadline, and says that the request
// may have been carried out.
type lossy struct{ sink core.Sink }

func (b *lossy) Bind(sink core.Sink) { b.sink = sink }
func (b *lossy) Publish(r *core.Request) error {
	b.sink.Sent(r.ID)
	return nil
}

func ExampleEngine_Do_timeout() {
	engine, err := core.New(&lossy{}, core.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	node, err := engine.AddNode(core.NodeOptions{Name: "n", Topic: "n", Timeout: 10 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	result := engine.Do(context.Background(), &core.Call{Node: node})
	fmt.Println(result.Outcome, "retry safe:", result.RetrySafe())
	// Output: timeout retry safe: false
}
