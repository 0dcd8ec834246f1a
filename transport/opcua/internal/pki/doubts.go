package pki

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// expiresSoon is how long before its end a certificate is worth a warning at the start.
const expiresSoon = 30 * 24 * time.Hour

// Doubts are what an operator should know of what is kept under dir, although it can be used: a
// certificate that will soon be none, and files that others can read or write.
func Doubts(dir string, identity *Identity) []string { return doubts(dir, identity, time.Now()) }

func doubts(dir string, identity *Identity, now time.Time) (all []string) {
	files := ownFiles(dir)
	if c, err := x509.ParseCertificate(identity.Certificate); err == nil && c.NotAfter.Before(now.Add(expiresSoon)) {
		all = append(all, fmt.Sprintf("the own certificate %s expires on %s: the server does not start after that; %s",
			files.certificate, c.NotAfter.Format(time.DateOnly), files.remedy()))
	}
	if runtime.GOOS == "windows" {
		return all // where the mode of a file does not say who may do what
	}
	for _, f := range []struct {
		path   string
		others os.FileMode
		doubt  string
	}{
		{files.key, 0o077, "others than its owner can read the own private key"},
		{filepath.Join(dir, "trusted", "certs"), 0o022, "others than its owner can let clients in by putting a certificate there"},
	} {
		if info, err := os.Stat(f.path); err == nil && info.Mode().Perm()&f.others != 0 {
			all = append(all, fmt.Sprintf("%s: %s: run chmod go-rwx on it", f.path, f.doubt))
		}
	}
	return all
}
