package opcua

import (
	"log/slog"
	"time"

	"github.com/flowsync-go/flowsync/core"
)

// Engine is what the server needs of [core.Engine].
type Engine interface {
	Begin(*core.Call, core.Completer) core.ID
	Cancel(core.ID) bool
}

// Security is a policy with a mode.
type Security struct {
	Policy string // None, Basic256Sha256, Aes128_Sha256_RsaOaep or Aes256_Sha256_RsaPss
	Mode   string // None, Sign or SignAndEncrypt
}

// Options of a server. Zero values of limits and times mean their defaults.
type Options struct {
	// Engine holds the transactions. Required if a node has one.
	Engine Engine
	// Root is the root of the tree. Required.
	Root *Node
	// ApplicationURI names this server instance; it is namespace 1 and stands in the certificate.
	// Empty: urn:<host name>:flowsync.
	ApplicationURI string
	// Hosts are names and addresses that clients may know the server by, for the certificate.
	Hosts []string
	// Path is the path of the endpoint URL, such as /UA/CybusOpcuaServer. Clients may use any.
	Path string
	// Security is what sessions may use; at least one. What is weaker than SignAndEncrypt is for
	// the caller to judge.
	Security []Security
	// Anonymous lets clients in without a user.
	Anonymous bool
	// Login judges a user name and password; nil: there are no users. It must be safe for many goroutines
	// and compare in constant time.
	Login func(user, password string) bool
	// State is the folder of certificates: DIR/pki. Required unless the only policy is None.
	State string

	MaxSessions      int           // 100
	MaxChannels      int           // 200, or what the limit on file descriptors leaves
	MaxSubscriptions int           // 1000, of all clients
	HandshakeTimeout time.Duration // 5 s
	WriteTimeout     time.Duration // 10 s
	// Logger hears of refused clients, rejected certificates and panics. nil: slog.Default().
	Logger *slog.Logger
}
