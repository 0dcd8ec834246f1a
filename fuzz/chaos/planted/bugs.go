package planted

import "fmt"

// Env is the environment variable that says which bug a gateway has that was built with all of them; empty: none.
const Env = "FLOWSYNC_CHAOS_PLANTED"

// Bug is a mistake that somebody might make.
type Bug struct {
	Name string
	// Rules are those of the checker of which at least one must find it.
	Rules   []string
	Changes []Change
}

// Bugs are all of them.
var Bugs = []Bug{
	{
		Name:  "wrong-id", // an answer completes whatever is in its slot now, not its own transaction
		Rules: []string{"own-data", "answered"},
		Changes: []Change{{
			File: "core/table.go",
			Old:  `if s.rest != k.rest || s.mid&midRandom|midV4 != k.mid() || s.done == nil {`,
			New:  `if s.done == nil || planted != "wrong-id" && (s.rest != k.rest || s.mid&midRandom|midV4 != k.mid()) {`,
		}},
	}, {
		Name:  "double-completion", // the second one completes who waits with the same waiter next
		Rules: []string{"own-data", "one-reply"},
		Changes: []Change{{
			File: "core/end.go",
			Old:  "	h.done.Complete(*r)\n",
			New: `	h.done.Complete(*r)
	if planted == "double-completion" && r.Outcome == Answered && plantedNow(20) {
		again := *r
		again.Value = append([]byte(nil), r.Value...)
		done := h.done
		go func() { done.Complete(again) }()
	}
`,
		}},
	}, {
		Name:  "lost-waiter", // an answer is thrown away
		Rules: []string{"lost-waiter"},
		Changes: []Change{{
			File: "core/resolve.go",
			Old:  "	k := reply.ID.key()\n",
			New: `	k := reply.ID.key()
	if planted == "lost-waiter" && err == nil && plantedNow(50) {
		return false
	}
`,
		}},
	}, {
		Name:  "never-told", // a transaction ends, and its requester is not told
		Rules: []string{"one-reply"},
		Changes: []Change{{
			File: "core/resolve.go",
			Old:  "	e.finish(&h, &r, now)\n	return true\n",
			New: `	if planted == "never-told" && plantedNow(100) {
		return true
	}
	e.finish(&h, &r, now)
	return true
`,
		}},
	}, {
		Name:  "early-timeout", // deadlines are 30 ms too early
		Rules: []string{"never-early"},
		Changes: []Change{{
			File: "core/wheel.go",
			Old:  "	at := max(tickOf(s.deadline), w.now)\n",
			New: `	deadline := s.deadline
	if planted == "early-timeout" {
		deadline -= 30_000_000
	}
	if planted == "late-timeout" {
		deadline += 1_500_000_000
	}
	at := max(tickOf(deadline), w.now)
`,
		}},
	}, {
		Name:  "late-timeout", // deadlines are one and a half seconds too late; the change is above
		Rules: []string{"in-time"},
	}, {
		Name:  "counter-skipped", // now and then an end is not counted
		Rules: []string{"counters"},
		Changes: []Change{{
			File: "core/shard.go",
			Old:  "	sh.counts[s.node.index].ended[outcome]++\n",
			New: `	if planted != "counter-skipped" || !plantedNow(50) {
		sh.counts[s.node.index].ended[outcome]++
	}
`,
		}},
	}, {
		Name:  "sent-twice", // a request is published again, and the mark that it was sent is not looked at
		Rules: []string{"one-treq"},
		Changes: []Change{{
			File: "core/begin.go",
			Old:  "	err := e.bus.Publish(r)\n	*r = Request{}\n",
			New: `	err := e.bus.Publish(r)
	if planted == "sent-twice" && err == nil && plantedNow(50) {
		_ = e.bus.Publish(r)
	}
	*r = Request{}
`,
		}, {
			File: "core/shard.go",
			Old:  "s.mid&flagSent == 0 && s.deadline > now",
			New:  `(s.mid&flagSent == 0 || planted == "sent-twice") && s.deadline > now`,
		}},
	}, {
		Name:  "not-published", // what was published and not answered is said not to have been
		Rules: []string{"retry-safe"},
		Changes: []Change{{
			File: "core/shard.go",
			Old:  "	case flags&flagSent != 0:\n		return Timeout\n",
			New:  "	case flags&flagSent != 0 && planted != \"not-published\":\n		return Timeout\n",
		}},
	}, {
		Name:  "key-forgotten", // a key in doubt is free again
		Rules: []string{"one-treq-per-key"},
		Changes: []Change{{
			File: "core/idempotency/end.go",
			Old:  "		return freed\n	}\n	return inDoubt\n",
			New: `		return freed
	}
	if planted == "key-forgotten" {
		return freed
	}
	return inDoubt
`,
		}},
	}, {
		Name:  "key-shared", // whoever comes with a key gets what was answered to it, whatever he asks
		Rules: []string{"own-data"},
		Changes: []Change{{
			File: "core/idempotency/table.go",
			Old:  "	case e.identity != identity:\n",
			New:  "	case e.identity != identity && planted != \"key-shared\":\n",
		}},
	}, {
		Name:  "key-of-none", // the same request, sent again, is taken for another one
		Rules: []string{"conflict"},
		Changes: []Change{{
			File: "core/idempotency/table.go",
			Old:  "	e := t.findLocked(scope{w.node.name, key.User, key.Text}, w.began)\n",
			New: `	e := t.findLocked(scope{w.node.name, key.User, key.Text}, w.began)
	if planted == "key-of-none" {
		identity[0] = byte(w.began.UnixMilli())
	}
`,
		}},
	}, {
		Name:  "not-serial", // a serial node lets everybody go at once
		Rules: []string{"serial"},
		Changes: []Change{{
			File: "core/gate.go",
			Old:  "	if g.turn != (key{}) || g.handing || g.closed || g.queue.Len() > 0 {\n		return false\n	}\n",
			New: `	if planted == "not-serial" {
		return !g.closed
	}
	if g.turn != (key{}) || g.handing || g.closed || g.queue.Len() > 0 {
		return false
	}
`,
		}},
	},
}

// chosen is the file that each changed package gets.
const chosen = `package %s

import (
	"os"
	"sync/atomic"
)

var planted = os.Getenv("` + Env + `")

var plantedCalls atomic.Uint64

// plantedNow is true one in so many times.
func plantedNow(of uint64) bool { return plantedCalls.Add(1)%%of == 0 }
`

// Write makes the changes of all bugs below the root of the module, in files in folder, and returns the path of what
// is to be given to go build -overlay.
func Write(root, folder string) (string, error) {
	w := newWriter(folder)
	for _, b := range Bugs {
		for _, c := range b.Changes {
			if err := w.change(root, c); err != nil {
				return "", fmt.Errorf("%s: %w", b.Name, err)
			}
		}
	}
	w.add(root, "core/planted_chaos.go", fmt.Sprintf(chosen, "core"))
	w.add(root, "core/idempotency/planted_chaos.go", fmt.Sprintf(chosen, "idempotency"))
	return w.write()
}
