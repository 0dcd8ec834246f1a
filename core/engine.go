package core

import "context"

const maxShards = 256

type Engine struct{}

func New(bus Bus, options Options) (*Engine, error)          { return nil, nil }
func (e *Engine) AddNode(options NodeOptions) (*Node, error) { return nil, nil }
func (e *Engine) Begin(call *Call, done Completer) ID        { return ID{} }
func (e *Engine) Do(ctx context.Context, call *Call) Result  { return Result{} }
func (e *Engine) Sent(id ID) bool                            { return false }
func (e *Engine) Resolve(answer Answer) bool                 { return false }
func (e *Engine) Fail(id ID, err error) bool                 { return false }
func (e *Engine) Cancel(id ID) bool                          { return false }
func (e *Engine) Drain(ctx context.Context) error            { return nil }
func (e *Engine) Close() error                               { return nil }
func (e *Engine) Held() int                                  { return 0 }

// Stats ...
type NodeStats struct {
	Begun, Held uint64
	Ended       [outcomeEnd]uint64
	Answers     [answerKindEnd]uint64
}

func (e *Engine) Stats(n *Node) NodeStats { return NodeStats{} }
func (e *Engine) Nodes() []*Node          { return nil }
