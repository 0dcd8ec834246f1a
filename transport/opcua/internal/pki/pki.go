package pki

import (
	"crypto/rsa"

	"github.com/gopcua/opcua/ua"
)

// Application is what the own certificate says.
type Application struct {
	Name  string
	URI   string   // the ApplicationUri, in the subject alternative name
	Hosts []string // DNS names and addresses
}

// Identity is a certificate with its key.
type Identity struct {
	Certificate []byte // DER
	Key         *rsa.PrivateKey
}

// New makes an identity in memory: RSA 2048, SHA-256, ten years.
func New(app Application) (*Identity, error) { panic("not written") }

// Load returns the identity kept under dir, and makes and keeps one if there is none. A kept one
// whose URI is another, or that has expired, is an error that says what to do: clients have
// pinned it, so it is never replaced silently. Files are written whole or not at all.
func Load(dir string, app Application) (*Identity, error) { panic("not written") }

// Trust judges certificates of clients by the folders under a directory.
type Trust struct{}

// OpenTrust makes the folders if they are missing.
func OpenTrust(dir string) (*Trust, error) { panic("not written") }

// Check returns Good, or the status that says why a client's certificate is refused
// (OPC 10000-4, table on certificate validation): BadCertificateUntrusted, …TimeInvalid,
// …UseNotAllowed, …Invalid, BadCertificatePolicyCheckFailed (key too short, SHA-1). One that is only
// unknown lands in rejected. It reads files: it blocks as long as the disk does.
func (t *Trust) Check(der []byte) (ua.StatusCode, error) { panic("not written") }
