package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"
	"golang.org/x/time/rate"
)

// maxTrusted is how many files of the folder are looked at.
const maxTrusted = 10_000

// Trust judges certificates of clients by the folders under a directory. It is safe for many
// goroutines.
type Trust struct {
	trusted  string
	rejected string
	now      func() time.Time
	keeping  *rate.Limiter // of rejected ones: a flood must not keep the disk, and with it mu, busy

	mu    sync.Mutex // guards all below, and the folder of rejected ones; held while files are read
	known map[string]entry
	list  list
}

// entry is a file of the folder that has been read.
type entry struct {
	modified time.Time
	size     int64
	// certificate is nil if there is none in the file.
	certificate *x509.Certificate
}

// list is what the folder holds.
type list struct {
	pinned      map[[sha256.Size]byte]bool
	authorities []*x509.Certificate
}

// OpenTrust makes the folders if they are missing.
func OpenTrust(dir string) (*Trust, error) {
	t := &Trust{
		trusted:  filepath.Join(dir, "trusted", "certs"),
		rejected: filepath.Join(dir, "rejected", "certs"),
		now:      time.Now,
		keeping:  rate.NewLimiter(1, 20),
	}
	for _, folder := range []string{t.trusted, t.rejected} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("pki: %w", err)
		}
	}
	return t, nil
}

// Check returns Good, or the status that says why a client's certificate is refused
// (OPC 10000-4, table on certificate validation): BadCertificateUntrusted, …TimeInvalid,
// …UseNotAllowed, …Invalid, BadCertificatePolicyCheckFailed (key too short, SHA-1); the error
// says it in words. One that is only unknown lands in rejected. It reads files: it blocks as
// long as the disk does.
func (t *Trust) Check(der []byte) (ua.StatusCode, error) {
	if len(der) > maxFile {
		return ua.StatusBadCertificateInvalid, fmt.Errorf("pki: a certificate of %d bytes", len(der))
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return ua.StatusBadCertificateInvalid, fmt.Errorf("pki: the certificate cannot be read: %w", err)
	}
	if status, err := fit(c, t.now()); err != nil {
		return status, fmt.Errorf("pki: the certificate of %q: %w", c.Subject, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.reload(); err != nil {
		return ua.StatusBadCertificateUntrusted, fmt.Errorf("pki: %w", err)
	}
	if t.list.pinned[sha256.Sum256(c.Raw)] {
		return ua.StatusOK, nil
	}
	status, err := t.list.vouched(c, t.now())
	if err == nil {
		return ua.StatusOK, nil
	}
	if status == ua.StatusBadCertificateUntrusted {
		path, keepErr := t.keep(c)
		if keepErr != nil {
			return status, fmt.Errorf("pki: the certificate of %q is %w; it could not be kept: %w", c.Subject, err, keepErr)
		}
		return status, fmt.Errorf("pki: the certificate of %q is %w: move %s to %s to trust it", c.Subject, err, path, t.trusted)
	}
	return status, fmt.Errorf("pki: the certificate of %q: %w", c.Subject, err)
}

// errUnknown ends up in a sentence: the certificate is …
var errUnknown = errors.New("not among the trusted ones")

// isAuthority tells the certificates of authorities from those of clients: these are an application
// instance's, with its URI, and often say CA:TRUE because they sign themselves. To trust one must
// not mean to trust all that its key could sign.
func isAuthority(c *x509.Certificate) bool {
	return c.BasicConstraintsValid && c.IsCA && len(c.URIs) == 0 &&
		(c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageCertSign != 0)
}

// vouched says whether an authority of the list has issued c. One that was renewed with its key may
// be there twice: the certificate that is valid counts.
func (l *list) vouched(c *x509.Certificate, now time.Time) (ua.StatusCode, error) {
	status, err := ua.StatusBadCertificateUntrusted, errUnknown
	for _, a := range l.authorities {
		// CheckSignatureFrom also judges what the authority may do.
		if string(c.RawIssuer) != string(a.RawSubject) || c.CheckSignatureFrom(a) != nil {
			continue
		}
		if now.Before(a.NotBefore) || now.After(a.NotAfter) {
			status = ua.StatusBadCertificateIssuerTimeInvalid
			err = fmt.Errorf("the authority %q was valid from %s to %s", a.Subject,
				a.NotBefore.Format(time.DateOnly), a.NotAfter.Format(time.DateOnly))
			continue
		}
		return ua.StatusOK, nil
	}
	return status, err
}

// reload reads what has changed in the folder since the last time; t.mu is held.
func (t *Trust) reload() error {
	folder, err := os.Open(t.trusted)
	if err != nil {
		return err
	}
	files, err := folder.ReadDir(maxTrusted)
	_ = folder.Close()
	if len(files) == 0 && err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	known := make(map[string]entry, len(files))
	l := list{pinned: make(map[[sha256.Size]byte]bool, len(files))}
	for _, f := range files {
		e, ok := t.look(f.Name())
		if !ok {
			continue
		}
		known[f.Name()] = e
		if c := e.certificate; c != nil {
			l.pinned[sha256.Sum256(c.Raw)] = true
			if isAuthority(c) {
				l.authorities = append(l.authorities, c)
			}
		}
	}
	t.known, t.list = known, l
	return nil
}

// look returns what a file holds, without reading it again if it has not changed.
func (t *Trust) look(name string) (entry, bool) {
	path := filepath.Join(t.trusted, name)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return entry{}, false
	}
	if e, ok := t.known[name]; ok && e.modified.Equal(info.ModTime()) && e.size == info.Size() {
		return e, true
	}
	e := entry{modified: info.ModTime(), size: info.Size()}
	if b, err := readBounded(path); err == nil {
		e.certificate = parseFile(b)
	}
	return e, true
}

// parseFile takes DER, or the first certificate of a PEM file; nil if there is none.
func parseFile(b []byte) *x509.Certificate {
	for rest := b; len(rest) > 0; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			b = block.Bytes
			break
		}
	}
	c, err := x509.ParseCertificate(b)
	if err != nil {
		return nil
	}
	return c
}
