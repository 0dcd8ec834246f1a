//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flowsync-go/flowsync/fuzz/chaos/history"
)

// save keeps what was found, the history's part of it, and the gateway's log.
func (s *settings) save(p *phase, v *verdict) error {
	if s.keep == "" {
		folder, err := os.MkdirTemp("", "flowsync-chaos-found-")
		if err != nil {
			return err
		}
		s.keep = folder
	}
	if err := os.MkdirAll(s.keep, 0o700); err != nil {
		return err
	}
	name := fmt.Sprintf("%s-%d", v.name, s.seed)
	f, err := os.Create(filepath.Join(s.keep, name+".jsonl"))
	if err != nil {
		return err
	}
	const most = 100_000 // lines
	err = history.Dump(f, v.history, p.checkOptions(), v.violations, most)
	log, readErr := os.ReadFile(filepath.Join(p.site.Folder, "gateway.log"))
	err = errors.Join(err, f.Close(), readErr, os.WriteFile(filepath.Join(s.keep, name+".log"), log, 0o600))
	note("what was found is in %s", f.Name())
	return err
}
