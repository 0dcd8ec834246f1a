package pki

import (
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxRejected is how many certificates of refused clients are kept.
const maxRejected = 100

// keep puts a certificate into the folder of rejected ones and returns its path; t.mu is held.
// One that is there already is left as it is, so that a client that tries again and again does
// not wear out the disk.
func (t *Trust) keep(c *x509.Certificate) (string, error) {
	// The thumbprint in SHA-1 is what UA tools show and name files after (OPC 10000-12, F.1).
	name := fmt.Sprintf("%s_[%X].der", fileName(c.Subject.CommonName), sha1.Sum(c.Raw))
	path := filepath.Join(t.rejected, name)
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(c.Raw)) {
		return path, nil
	}
	if !t.keeping.AllowN(t.now(), 1) {
		return "", errors.New("too many unknown certificates came lately")
	}
	if err := t.makeRoom(); err != nil {
		return "", err
	}
	return path, writeWhole(path, c.Raw, 0o600)
}

// makeRoom removes the oldest until there is room for one more.
func (t *Trust) makeRoom() error {
	files, err := os.ReadDir(t.rejected)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // it is made when something is written
		return err
	}
	var infos []fs.FileInfo
	for _, f := range files {
		if info, err := f.Info(); err == nil && info.Mode().IsRegular() {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for ; len(infos) >= maxRejected; infos = infos[1:] {
		if err := os.Remove(filepath.Join(t.rejected, infos[0].Name())); err != nil {
			return err
		}
	}
	return nil
}

// fileName makes of what a stranger calls itself something harmless.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		case r == ' ':
			return '_'
		}
		return -1
	}, s)
	if s == "" {
		s = "unknown"
	}
	return s[:min(len(s), 64)]
}
