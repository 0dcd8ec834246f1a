package logging

import (
	"context"
	"log/slog"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// write is the observer's goroutine. It wakes for lines, and at the end of a second in which
// something was suppressed; otherwise it sleeps.
func (o *Observer) write() {
	defer close(o.stopped)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case line := <-o.lines:
			o.put(line)
		case <-o.overdue:
			timer.Reset(time.Second - time.Since(o.epoch)%time.Second)
		case <-timer.C:
			o.sumUp()
		case <-o.stop:
			o.flush()
			return
		}
	}
}

// Close writes what is queued, sums up what was suppressed and returns when that is done. What
// is observed afterwards is not written.
func (o *Observer) Close() error {
	o.close.Do(func() { close(o.stop) })
	<-o.stopped
	return nil
}

func (o *Observer) flush() {
	for range queueLines {
		select {
		case line := <-o.lines:
			o.put(line)
			continue
		default:
		}
		break
	}
	o.sumUp()
}

// put writes a line. An error means that nobody can be told: the log is what failed.
func (o *Observer) put(line slog.Record) {
	_ = o.handler.Handle(context.Background(), line)
}

func (o *Observer) sumUp() {
	o.nodes.Range(func(node, windows any) bool {
		for k := range windows.(*[kinds]window) {
			if n := windows.(*[kinds]window)[k].take(); n > 0 {
				o.put(summaryLine(node.(*core.Node), kind(k), n))
			}
		}
		return true
	})
}
