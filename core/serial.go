package core

import "time"

// mostTurns is how many requests of others a goroutine hands over before it is let go. Those who
// come faster than the bus fails them could keep it for ever.
const mostTurns = 32

// publishInTurn publishes a request of a serial node, or lets it wait.
func (e *Engine) publishInTurn(k key, r *Request, deadline int64) {
	g := r.Node.gate
	if g.enter(k) {
		e.hand(g, k, r)
	} else if e.shardOf(k).wait(k) {
		e.enqueue(g, newWaiting(k, deadline, r))
	}
	e.takeTurns(g)
}

func (e *Engine) enqueue(g *gate, w *waiting) {
	g.push(w)
	if e.shardOf(w.key).holder(w.key, w.request.Node) == nil { // ended before it was in the queue
		g.remove(w.key)
	}
}

// hand publishes a request that was given the place.
func (e *Engine) hand(g *gate, k key, r *Request) {
	returned := false
	defer func() {
		g.handed()
		if !returned { // the bus has panicked; if it has freed the place before, others wait for it
			e.goOn(g)
		}
	}()
	if !e.shardOf(k).proceed(k, e.clock.now()) {
		g.free(k, &e.turns)
	} else if err := e.bus.Publish(r); err != nil {
		e.Fail(k.id(), err)
	}
	returned = true
}

// takeTurns gives the place to those who wait, as long as it becomes free.
func (e *Engine) takeTurns(g *gate) {
	for range mostTurns {
		if !e.takeTurn(g) {
			return
		}
	}
	e.goOn(g)
}

func (e *Engine) takeTurn(g *gate) bool {
	now := e.clock.now()
	switch w, late := g.next(now); {
	case w == nil:
		return false
	case late:
		e.turnAway(g, w.key)
	default:
		w.request.Timeout = time.Duration(w.deadline - now)
		e.hand(g, w.key, w.request)
	}
	return true
}

// turnAway ends a request whose turn comes too late.
func (e *Engine) turnAway(g *gate, k key) {
	returned := false
	defer func() {
		if !returned { // its completer has panicked; others wait for the place
			e.goOn(g)
		}
	}()
	e.endWith(k.id(), Shed, "its turn at this serial node came with less than a twentieth of its time left", true)
	returned = true
}

// goOn takes turns on a goroutine of its own.
func (e *Engine) goOn(g *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	e.turns.Go(func() {
		for e.takeTurn(g) {
		}
	})
}

// leave is told how a transaction of a serial node has ended. It runs after the requester was told.
func (e *Engine) leave(h *held, outcome Outcome) {
	g := h.node.gate
	switch {
	case h.flags&flagWaiting != 0:
		g.remove(h.key)
	case outcome == Cancelled && h.sent():
		e.keepPlace(g, h.key, h.deadline)
	default:
		e.vacate(g, h.key)
	}
}

// keepPlace frees the place of a requester who has gone at his deadline.
func (e *Engine) keepPlace(g *gate, k key, deadline int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turn != k || g.closed {
		return
	}
	e.turns.Add(1)
	g.timer = time.AfterFunc(time.Duration(deadline-e.clock.now()), func() {
		defer e.turns.Done()
		e.vacate(g, k)
	})
}

// vacate frees the place if it is k's, and gives it to the next one.
func (e *Engine) vacate(g *gate, k key) {
	if g.free(k, &e.turns) {
		e.takeTurns(g)
	}
}

// wait marks a transaction as one that waits for the place of its node. False: it has ended.
func (sh *shard) wait(k key) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.table.find(sh.slotOf(k), k)
	if s != nil {
		s.mid |= flagWaiting
	}
	return s != nil
}

// proceed says that a transaction waits no longer: it has the place. False: it has ended, or its
// deadline has come.
func (sh *shard) proceed(k key, now int64) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	s := sh.table.find(sh.slotOf(k), k)
	if s == nil || s.deadline <= now {
		return false
	}
	s.mid &^= flagWaiting
	return true
}
