package opcua

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/gopcua/opcua/ua"

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
	// Empty: localhost, its addresses and the host name.
	Hosts []string
	// Path is the path of the endpoint URL, such as /UA/FlowsyncServer. Clients may use any.
	Path string
	// Security is what sessions may use; at least one. What is weaker than SignAndEncrypt is for
	// the caller to judge.
	Security []Security
	// Anonymous lets clients in without a user.
	Anonymous bool
	// Login judges a user name and password; nil: there are no users. It must be safe for many goroutines
	// and compare in constant time.
	Login func(user, password string) bool
	// State is the folder of certificates: DIR/pki. Required unless the only policy is None; then
	// passwords are encrypted with a certificate that is made anew each time.
	State string
	// Version is told to clients. Empty: "dev".
	Version string

	MaxSessions      int           // 100
	MaxChannels      int           // connections; 200
	MaxSubscriptions int           // 1000, of all clients
	HandshakeTimeout time.Duration // 5 s
	WriteTimeout     time.Duration // 10 s
	// Logger hears of refused clients, rejected certificates and panics. nil: slog.Default().
	Logger *slog.Logger
}

// The names of policies and modes, as files have them.
var (
	policies = map[string]string{
		"None":                  ua.SecurityPolicyURINone,
		"Basic256Sha256":        ua.SecurityPolicyURIBasic256Sha256,
		"Aes128_Sha256_RsaOaep": ua.SecurityPolicyURIAes128Sha256RsaOaep,
		"Aes256_Sha256_RsaPss":  ua.SecurityPolicyURIAes256Sha256RsaPss,
	}
	modes = map[string]ua.MessageSecurityMode{
		"None":           ua.MessageSecurityModeNone,
		"Sign":           ua.MessageSecurityModeSign,
		"SignAndEncrypt": ua.MessageSecurityModeSignAndEncrypt,
	}
)

// complete fills in defaults and reports everything that is wrong with the options.
func (o *Options) complete() error {
	var errs []error
	errs = append(errs, o.checkSecurity()...)
	for _, limit := range []struct {
		name     string
		value    *int
		standard int
	}{{"MaxSessions", &o.MaxSessions, 100}, {"MaxChannels", &o.MaxChannels, 200}, {"MaxSubscriptions", &o.MaxSubscriptions, 1000}} {
		if *limit.value == 0 {
			*limit.value = limit.standard
		}
		if *limit.value < 0 {
			errs = append(errs, fmt.Errorf("opcua: %s is %d, want a positive number", limit.name, *limit.value))
		}
	}
	if o.HandshakeTimeout < 0 || o.WriteTimeout < 0 {
		errs = append(errs, errors.New("opcua: a timeout is negative"))
	}
	if o.Root == nil {
		errs = append(errs, errors.New("opcua: Root is missing"))
	}
	if o.ApplicationURI == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "localhost"
		}
		o.ApplicationURI = "urn:" + host + ":flowsync"
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return errors.Join(errs...)
}

func (o *Options) checkSecurity() []error {
	var errs []error
	if len(o.Security) == 0 {
		errs = append(errs, errors.New("opcua: Security has no policy and mode that clients may use"))
	}
	for _, s := range o.Security {
		switch {
		case policies[s.Policy] == "" || modes[s.Mode] == 0:
			errs = append(errs, fmt.Errorf("opcua: the security policy %q with mode %q is not known", s.Policy, s.Mode))
		case (s.Policy == "None") != (s.Mode == "None"):
			errs = append(errs, fmt.Errorf("opcua: the policy %s does not go with the mode %s: None goes with None only", s.Policy, s.Mode))
		}
	}
	if o.secure() && o.State == "" {
		errs = append(errs, errors.New("opcua: State is missing: certificates are kept there, and a security policy other than None needs them"))
	}
	if !o.Anonymous && o.Login == nil {
		errs = append(errs, errors.New("opcua: nobody could log in: neither Anonymous nor Login is set"))
	}
	return errs
}

// secure says whether there is a policy that needs certificates.
func (o *Options) secure() bool {
	for _, s := range o.Security {
		if s.Policy != "None" {
			return true
		}
	}
	return false
}
