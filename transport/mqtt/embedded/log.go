package embedded

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// losses reports one kind of loss: the first at once, and then once a second how many there
// were. Losses come by the ten thousand; a log that tells of each is a loss of its own.
type losses struct {
	log   *slog.Logger
	text  string
	mu    sync.Mutex // guards the rest; leaf: the log is written outside
	last  time.Time
	since uint64
}

const lossesEvery = time.Second

func (l *losses) report(attrs ...any) {
	now := time.Now()
	l.mu.Lock()
	l.since++
	count := l.since
	due := now.Sub(l.last) >= lossesEvery
	if due {
		l.last, l.since = now, 0
	}
	l.mu.Unlock()
	if due {
		l.log.Warn(l.text, append(attrs, "count", count)...)
	}
}

// flush reports what was held back.
func (l *losses) flush() {
	l.mu.Lock()
	count := l.since
	l.since = 0
	l.mu.Unlock()
	if count > 0 {
		l.log.Warn(l.text, "count", count)
	}
}

// quietened is how the broker's own log gets into ours. It warns of each client that goes away
// and puts whole packets into attributes; what matters of that is reported by this package, so
// everything below an error becomes debug, and packets are left out.
type quietened struct{ slog.Handler }

func (q quietened) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, quieter(level))
}

func (q quietened) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, quieter(r.Level), "embedded broker: "+r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "pk" && a.Key != "packet" {
			out.AddAttrs(a)
		}
		return true
	})
	return q.Handler.Handle(ctx, out)
}

func (q quietened) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietened{q.Handler.WithAttrs(attrs)}
}

func (q quietened) WithGroup(name string) slog.Handler { return quietened{q.Handler.WithGroup(name)} }

func quieter(level slog.Level) slog.Level {
	if level < slog.LevelError {
		return slog.LevelDebug
	}
	return level
}
