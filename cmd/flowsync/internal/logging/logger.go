package logging

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Format is how lines are written.
type Format string

// The formats.
const (
	Auto Format = "auto" // Text on a terminal, JSON otherwise
	Text Format = "text" // key=value
	JSON Format = "json" // one JSON object a line
)

// New returns a logger that writes to w. The level is debug, info, warn or error.
func New(w io.Writer, format Format, level string) (*slog.Logger, error) {
	var threshold slog.Level
	switch strings.ToLower(level) {
	case "debug", "info", "warn", "error":
		_ = threshold.UnmarshalText([]byte(level)) // knows these four
	default:
		return nil, fmt.Errorf("level %q is unknown: want debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: threshold}
	switch format {
	case Auto, Text, JSON:
	default:
		return nil, fmt.Errorf("format %q is unknown: want auto, text or json", format)
	}
	if format == Text || format == Auto && terminal(w) {
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)), nil
}

// terminal says whether a human may be reading w. A character device that is no terminal, such
// as /dev/null, does no harm here.
func terminal(w io.Writer) bool {
	if q, ok := w.(*Queue); ok {
		w = q.Unwrap()
	}
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
