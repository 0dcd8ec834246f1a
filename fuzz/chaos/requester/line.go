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
}

// waiting is how many requests wait for a requester at most. When so many wait, requests are left
// out: there is no hurry to make up for an outage.
const waiting = 256

// NewLine makes a line that hands out so many requests a second.
func NewLine(p *Planner, rate float64) *Line {
	return &Line{HTTP: make(chan Request, waiting), OPCUA: make(chan Request, waiting), planner: p, rate: rate}
}

// beat is how often requests are handed out.
const beat = 5 * time.Millisecond

// Run hands out until ctx ends or it is enough. Then both doors are closed.
func (l *Line) Run(ctx context.Context, enough func() bool) {
	defer close(l.HTTP)
	defer close(l.OPCUA)
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	number, due := uint64(0), 0.0
	for !enough() {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for due += l.rate * beat.Seconds(); due >= 1; due-- {
			number++
			l.hand(l.planner.Plan(number))
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
