package planted

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Change replaces a piece of a file.
type Change struct {
	File     string // path below the root of the module, or of GOROOT
	Old, New string
}

// overlay is what go build -overlay reads.
type overlay struct{ Replace map[string]string }

// writer makes the changed files in a folder.
type writer struct {
	folder  string
	overlay overlay
	changed map[string]string // file → what it is after the changes so far
}

func newWriter(folder string) *writer {
	return &writer{folder: folder, overlay: overlay{make(map[string]string)}, changed: make(map[string]string)}
}

// change makes a change below a root.
func (w *writer) change(root string, c Change) error {
	file := filepath.Join(root, filepath.FromSlash(c.File))
	text, ok := w.changed[file]
	if !ok {
		source, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("planted: %w", err)
		}
		text = string(source)
	}
	if n := strings.Count(text, c.Old); n != 1 {
		return fmt.Errorf("planted: %s has this piece %d times, want once: the source has moved on, make the change anew:\n%s", c.File, n, c.Old)
	}
	w.changed[file] = strings.Replace(text, c.Old, c.New, 1)
	return nil
}

// add adds a file that is not there.
func (w *writer) add(root, name, text string) {
	w.changed[filepath.Join(root, filepath.FromSlash(name))] = text
}

// write writes the files, and the one that names them, whose path it returns.
func (w *writer) write() (string, error) {
	if err := os.MkdirAll(w.folder, 0o700); err != nil {
		return "", err
	}
	var errs []error
	for file, text := range w.changed {
		to := filepath.Join(w.folder, fmt.Sprintf("%d-%s", len(w.overlay.Replace), filepath.Base(file)))
		w.overlay.Replace[file] = to
		errs = append(errs, os.WriteFile(to, []byte(text), 0o600))
	}
	text, err := json.Marshal(w.overlay)
	name := filepath.Join(w.folder, "overlay.json")
	return name, errors.Join(append(errs, err, os.WriteFile(name, text, 0o600))...)
}
