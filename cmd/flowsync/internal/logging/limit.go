package logging

import (
	"log/slog"
	"sync"

	"github.com/flowsync-go/flowsync/core"
)

// perSecond is how many lines of one node and kind are written in a second.
const perSecond = 10

// kind numbers outcomes and kinds of answers alike.
type kind uint8

// kinds is above every outcome and, with answerKinds added, above every kind of answer.
const (
	answerKinds = 32
	kinds       = 2 * answerKinds
)

func kindOfEnd(o core.Outcome) kind      { return kind(o) % answerKinds }
func kindOfStray(k core.AnswerKind) kind { return answerKinds + kind(k)%answerKinds }

func (k kind) String() string {
	if k < answerKinds {
		return core.Outcome(k).String()
	}
	return core.AnswerKind(k - answerKinds).String()
}

// level is debug for what is no trouble here: answered transactions, answers that are meant for
// another gateway, and those that ask for more time and get it.
func (k kind) level() slog.Level {
	switch k {
	case kindOfEnd(core.Answered), kindOfStray(core.Foreign), kindOfStray(core.Extended):
		return slog.LevelDebug
	}
	return slog.LevelWarn
}

// window counts the lines of one node and kind in the current second. The zero value is ready.
type window struct {
	mu         sync.Mutex // guards all below; a leaf
	second     int64
	passed     uint32
	suppressed uint64 // since the last summary
}

// admit says whether a line may be written in this second; if not it is counted, and first is
// true for the first one since the last summary.
func (w *window) admit(second int64) (ok, first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.second != second {
		w.second, w.passed = second, 0
	}
	if w.passed < perSecond {
		w.passed++
		return true, false
	}
	w.suppressed++
	return false, w.suppressed == 1
}

// suppress counts a line that was admitted and could not be queued.
func (w *window) suppress() (first bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.suppressed++
	return w.suppressed == 1
}

// take returns how many were suppressed since the last summary, and begins anew.
func (w *window) take() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.suppressed
	w.suppressed = 0
	return n
}
