package core

import "time"

// What a shard does with answers, and what it calls those that complete nothing.

// past is how a transaction ended that is no longer held.
type past struct {
	outcome Outcome
	ago     time.Duration
}

// holder gives the completer of a transaction of the node; nil: it is not held.
func (sh *shard) holder(k key, node *Node) Completer {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.table.find(sh.slotOf(k), k)
	if s == nil || s.node != node {
		return nil
	}
	return s.done
}

// answer takes out into h the transaction that an answer on node's topic belongs to. If there is
// none, the kind and the past say why. It counts the answer either way.
func (sh *shard) answer(k key, node *Node, outcome Outcome, now int64, h *held) (AnswerKind, past) {
	sh.mu.Lock()
	counts := &sh.counts[node.index]
	i := sh.slotOf(k)
	if s := sh.table.find(i, k); s != nil && s.node == node {
		counts.answers[Matched]++
		sh.takeLocked(i, s, outcome, now, h)
		sh.mu.Unlock()
		return Matched, past{}
	}
	kind, before := sh.strayLocked(i, k, node, now)
	counts.answers[kind]++
	sh.mu.Unlock()
	return kind, before
}

// strayLocked says what an answer is whose transaction is not held.
func (sh *shard) strayLocked(i uint32, k key, node *Node, now int64) (AnswerKind, past) {
	end := sh.ends.find(i, k, now)
	if end == nil || end.node != uint32(node.index) {
		return Unknown, past{}
	}
	before := past{end.outcome, time.Duration(now - end.at)}
	if end.outcome == Answered || end.outcome == ResponderError {
		return Duplicate, before
	}
	return Late, before
}

// count counts an answer that names no transaction of this engine.
func (sh *shard) count(node *Node, kind AnswerKind) {
	sh.mu.Lock()
	sh.counts[node.index].answers[kind]++
	sh.mu.Unlock()
}
