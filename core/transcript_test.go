package core

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTranscripts plays the golden transcripts under testdata on one shard with invented time.
func TestTranscripts(t *testing.T) {
	golden(t, "testdata/*.txt", func(t *testing.T, script []line) {
		p := newPlayer()
		for _, l := range script {
			l.require(t, p.play(l.words))
		}
	})
}

// player is a shard with two nodes, the names of its transactions, and a clock.
type player struct {
	shard     *shard
	node      *Node
	elsewhere *Node
	now       int64
	ids       map[string]ID
	names     map[ID]string
}

func newPlayer() *player {
	sh, node := newTestShard()
	sh.counts = make([]nodeCounts, 2)
	return &player{shard: sh, node: node, elsewhere: &Node{index: 1}, ids: map[string]ID{}, names: map[ID]string{}}
}

func (p *player) play(words []string) string {
	name := ""
	if len(words) > 1 {
		name = words[1]
	}
	id := p.ids[name]
	switch words[0] {
	case "begin":
		return p.begin(name, strings.TrimPrefix(words[2], "deadline="))
	case "sent":
		return strconv.FormatBool(p.shard.sent(id.key(), p.now))
	case "answer":
		return p.answer(id, p.node)
	case "answer-elsewhere":
		return p.answer(id, p.elsewhere)
	case "fail-unsent":
		return p.end(id, NotPublished, true)
	case "fail-refused":
		return p.end(id, NotPublished, false)
	case "cancel":
		return p.end(id, Cancelled, false)
	case "advance":
		p.now = milliseconds(name)
		return p.advance()
	case "next":
		if next := p.shard.wheel.next(); next != never {
			return fmt.Sprint(next / tick)
		}
		return "never"
	case "slot":
		return p.sameSlot(name, id)
	case "close":
		taken, _ := p.shard.close(p.now, 1, make([]held, 0, 100))
		return p.list(taken, func(held) Outcome { return Shutdown })
	case "held":
		return fmt.Sprint(p.stats().Held)
	case "counts":
		return p.counts()
	}
	return "unknown command " + words[0]
}

func milliseconds(text string) int64 {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return ms * int64(time.Millisecond)
}

func (p *player) begin(name, deadline string) string {
	k, outcome := p.shard.begin(p.node, ignore{}, 0, p.now, milliseconds(deadline), 0)
	if outcome != 0 {
		return "refused " + outcome.String()
	}
	p.ids[name], p.names[k.id()] = k.id(), name
	return "held"
}

func (p *player) answer(id ID, node *Node) string {
	var h held
	kind, before := p.shard.answer(id.key(), node, Answered, p.now, &h)
	switch kind {
	case Matched:
		return p.names[h.key.id()] + " answered"
	case Late:
		return fmt.Sprintf("late for %v, %d ms after", before.outcome, before.ago.Milliseconds())
	case Duplicate:
		return fmt.Sprintf("duplicate of %v, %d ms after", before.outcome, before.ago.Milliseconds())
	default:
		return kind.String()
	}
}

func (p *player) end(id ID, outcome Outcome, onlyUnsent bool) string {
	var h held
	if !p.shard.end(id.key(), outcome, p.now, onlyUnsent, &h) {
		return "false"
	}
	return p.names[h.key.id()] + " " + outcome.String()
}

func (p *player) advance() string {
	var all []held
	for {
		batch, next := p.shard.advance(p.now, nil)
		all = append(all, batch...)
		if next > p.now {
			return p.list(all, func(h held) Outcome { return expiredAs(h.flags) })
		}
	}
}

func (p *player) list(taken []held, outcome func(held) Outcome) string {
	if len(taken) == 0 {
		return "none"
	}
	var lines []string
	for _, h := range taken {
		lines = append(lines, p.names[h.key.id()]+" "+outcome(h).String())
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

func (p *player) sameSlot(name string, id ID) string {
	for other, otherID := range p.ids {
		if other != name && otherID.key().place() == id.key().place() && other == "c" {
			return "as " + other
		}
	}
	return "new"
}

func (p *player) stats() NodeStats {
	var s NodeStats
	s.add(&p.shard.counts[0])
	return s
}

func (p *player) counts() string {
	s := p.stats()
	return countsText(&s)
}

func countsText(s *NodeStats) string {
	text := fmt.Sprintf("begun=%d", s.Begun)
	for _, o := range Outcomes() {
		if s.Ended[o] > 0 {
			text += fmt.Sprintf(" %v=%d", o, s.Ended[o])
		}
	}
	return text
}
