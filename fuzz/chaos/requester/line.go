package requester

import (
	"context"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// Line hands out requests at a rate, those for each door apart.
type Line struct {
	HTTP, OPCUA chan Request
	planner     *Planner
	rate        float64 // requests a second
	number      uint64  // of the last request
}

// waiting is how many requests wait for a requester at most. When so many wait, requests are left
// out: there is no hurry to make up for an outage.
const waiting = 256

// NewLine makes a line that hands out so many requests a second, from the one after number on.
func NewLine(p *Planner, rate float64, number uint64) *Line {
	return &Line{HTTP: make(chan Request, waiting), OPCUA: make(chan Request, waiting), planner: p, rate: rate, number: number}
}

// Number is that of the last request, when Run has returned.
func (l *Line) Number() uint64 { return l.number }

// beat is how often requests are handed out.
const beat = 5 * time.Millisecond

// Run hands out until ctx ends or it is enough. Then both doors are closed.
func (l *Line) Run(ctx context.Context, enough func() bool) {
	defer close(l.HTTP)
	defer close(l.OPCUA)
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	due := 0.0
	for !enough() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for due += l.rate * beat.Seconds(); due >= 1; due-- {
			l.number++
			l.hand(l.planner.Plan(l.number))
		}
	}
}

// hand puts a request into its line, unless that is full.
func (l *Line) hand(q Request) {
	door := l.HTTP
	if q.Node.Door == history.OPCUA {
		door = l.OPCUA
	}
	select {
	case door <- q:
	default:
	}
}
