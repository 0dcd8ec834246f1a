package logging

import (
	"log/slog"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// endLine is written for the end of a transaction.
func endLine(node *core.Node, r *core.Result) slog.Record {
	line := slog.NewRecord(time.Now(), kindOfEnd(r.Outcome).level(), "transaction ended", 0)
	line.AddAttrs(slog.String("node", node.Name()), slog.String("outcome", r.Outcome.String()))
	if !r.ID.IsZero() {
		line.AddAttrs(slog.String("id", r.ID.String()))
	}
	line.AddAttrs(slog.Float64("elapsedMs", milliseconds(r.Elapsed)), slog.Bool("sent", r.Sent), slog.Bool("retrySafe", r.RetrySafe()))
	if r.Outcome == core.ResponderError {
		if r.CodeName != "" {
			line.AddAttrs(slog.String("code", excerpt(r.CodeName)))
		} else {
			line.AddAttrs(slog.Int64("code", r.Code))
		}
	}
	if r.Message != "" {
		line.AddAttrs(slog.String("detail", excerpt(r.Message)))
	}
	return line
}

// strayLine is written for an answer that completed nothing.
func strayLine(node *core.Node, s *core.Stray) slog.Record {
	text := "answer completed nothing"
	if s.Kind == core.Extended {
		text = "transaction prolonged"
	}
	line := slog.NewRecord(time.Now(), kindOfStray(s.Kind).level(), text, 0)
	line.AddAttrs(slog.String("node", node.Name()), slog.String("kind", s.Kind.String()))
	if !s.ID.IsZero() {
		line.AddAttrs(slog.String("id", s.ID.String()))
	}
	if s.Kind == core.Late || s.Kind == core.Duplicate {
		line.AddAttrs(slog.String("outcome", s.Outcome.String()), slog.Float64("latenessMs", milliseconds(s.Lateness)))
	}
	if s.Kind == core.Extended {
		line.AddAttrs(slog.Float64("addedMs", milliseconds(s.Added)))
	}
	if s.Err != nil {
		line.AddAttrs(slog.String("detail", excerpt(s.Err.Error())))
	}
	line.AddAttrs(slog.String("payload", excerpt(s.Payload)), slog.Int("payloadBytes", len(s.Payload)))
	return line
}

// summaryLine says how many lines were not written.
func summaryLine(node *core.Node, k kind, suppressed uint64) slog.Record {
	line := slog.NewRecord(time.Now(), k.level(), "more of the same suppressed", 0)
	name := "outcome"
	if k >= answerKinds {
		name = "kind"
	}
	line.AddAttrs(slog.String("node", node.Name()), slog.String(name, k.String()), slog.Uint64("suppressed", suppressed))
	return line
}

// milliseconds rounds to whole microseconds.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
