package mqtt

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

// Options of a [Bus]. Only URL is required.
type Options struct {
	// URL of the broker: mqtt://host[:1883] or mqtts://host[:8883]. It may name a user
	// (mqtt://user@host), never a password.
	URL string
	// Username and Password, if the broker wants them. Without TLS they travel in the clear.
	Username string
	Password string
	// TLS is used with mqtts:// only. nil: the roots of the operating system, the host name of
	// the URL. See [TLSFiles].
	TLS *tls.Config
	// ClientID is the client id of the connection that reads answers; those that publish append
	// -p0, -p1 and so on. It must be unique on the broker: of two clients with the same id each
	// throws out the other. Empty: flowsync-<host>-<random>.
	ClientID string
	// KeepAlive is the longest silence before the connection is probed, in whole seconds; a
	// broker that does not react for that long again is given up, most that are gone are sooner,
	// see the package. 0: 30 s. 1 s to 65 535 s.
	KeepAlive time.Duration
	// Connections is how many connections publish; a node always uses the same one, so that
	// its requests stay in order. 0: 1. At most 16.
	Connections int
	// MaxPacket is the largest packet that is accepted from the broker, in bytes. 0: 1 MiB.
	// 1 KiB to 256 MiB.
	MaxPacket int
	// Backlog is how many bytes may wait to be written on one publishing connection, three
	// quarters of them of one node, and as many for it to be made; above it requests end as shed.
	// 0: 4 MiB. At least 64 KiB.
	Backlog int
	// DialTimeout bounds the TCP and TLS handshakes, and waiting for the broker to accept the
	// CONNECT. 0: 2 s.
	DialTimeout time.Duration
	// Logger hears of connections, losses and refusals. nil: slog.Default().
	Logger *slog.Logger
}

const (
	defaultKeepAlive   = 30 * time.Second
	defaultMaxPacket   = 1 << 20
	defaultBacklog     = 4 << 20
	defaultDialTimeout = 2 * time.Second

	maxConnections = 16
	minMaxPacket   = 1 << 10
	maxMaxPacket   = 256 << 20
	minBacklog     = 64 << 10
)

// broker is where to connect to and as whom, checked.
type broker struct {
	Options
	address string // host:port
	name    string // the URL without a user, for texts
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	stall   time.Duration
}

// complete checks the options and fills in what is missing. The error lists all faults.
func (o Options) complete() (broker, error) {
	b := broker{Options: o, connect: (&net.Dialer{KeepAliveConfig: probing}).DialContext, stall: stall}
	errs := b.completeURL()
	setDefault(&b.KeepAlive, defaultKeepAlive)
	setDefault(&b.Connections, 1)
	setDefault(&b.MaxPacket, defaultMaxPacket)
	setDefault(&b.Backlog, defaultBacklog)
	setDefault(&b.DialTimeout, defaultDialTimeout)
	if b.KeepAlive < time.Second || b.KeepAlive > 65535*time.Second || b.KeepAlive%time.Second != 0 {
		errs = append(errs, fmt.Errorf("mqtt: KeepAlive is %v, want whole seconds from 1s to 65535s", b.KeepAlive))
	}
	errs = append(errs,
		within("Connections", b.Connections, 1, maxConnections),
		within("MaxPacket", b.MaxPacket, minMaxPacket, maxMaxPacket),
		within("Backlog", b.Backlog, minBacklog, 1<<30))
	if b.DialTimeout < 0 {
		errs = append(errs, fmt.Errorf("mqtt: DialTimeout is %v, want a positive time", b.DialTimeout))
	}
	for name, s := range map[string]string{"ClientID": b.ClientID, "Username": b.Username} {
		if s != "" {
			if err := validateString(s); err != nil {
				errs = append(errs, fmt.Errorf("mqtt: %s %w", name, err))
			}
		}
	}
	if len(b.Password) > maxString {
		errs = append(errs, fmt.Errorf("mqtt: Password is %d bytes long, MQTT allows %d", len(b.Password), maxString))
	}
	if b.ClientID == "" {
		b.ClientID = randomClientID()
	}
	if b.Logger == nil {
		b.Logger = slog.Default()
	}
	return b, errors.Join(errs...)
}

func (b *broker) completeURL() (errs []error) {
	const want = "want mqtt://host:port or mqtts://host:port"
	u, err := url.Parse(b.URL)
	if err != nil {
		// The error of url.Parse quotes the whole URL, perhaps with a password in it.
		return []error{errors.New("mqtt: the broker URL cannot be read, " + want)}
	}
	if _, has := u.User.Password(); has {
		errs = append(errs, errors.New("mqtt: a password in the broker URL shows in process lists and logs: give it in Password"))
	}
	if user := u.User.Username(); user != "" && b.Username == "" {
		b.Username = user
	} else if user != "" && user != b.Username {
		errs = append(errs, fmt.Errorf("mqtt: the broker URL names user %q, Username is %q: give one", user, b.Username))
	}
	port := "1883"
	switch u.Scheme {
	case "mqtt":
		if b.TLS != nil {
			errs = append(errs, errors.New("mqtt: TLS settings need a broker URL with mqtts://"))
		}
	case "mqtts":
		port = "8883"
		if b.TLS == nil {
			b.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
	default:
		errs = append(errs, fmt.Errorf("mqtt: the broker URL has the scheme %q, %s", u.Scheme, want))
	}
	if u.Hostname() == "" || u.Opaque != "" {
		errs = append(errs, errors.New("mqtt: the broker URL has no host, "+want))
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		errs = append(errs, errors.New("mqtt: the broker URL has something behind the host, "+want))
	}
	if p := u.Port(); p != "" {
		port = p
	}
	b.address = net.JoinHostPort(u.Hostname(), port)
	b.name = u.Scheme + "://" + b.address
	return errs
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func within(name string, value, low, high int) error {
	if value < low || value > high {
		return fmt.Errorf("mqtt: %s is %d, want %d to %d", name, value, low, high)
	}
	return nil
}

// randomClientID keeps to the letters that every broker must accept (MQTT 5 §3.1.3.1), but for
// the hyphens.
func randomClientID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	host = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, host)
	var random [4]byte
	rand.Read(random[:]) // never fails, see crypto/rand
	return "flowsync-" + host[:min(len(host), 32)] + "-" + hex.EncodeToString(random[:])
}

// TLSFiles builds the TLS settings from PEM files: ca with the roots to trust instead of those
// of the operating system, cert and key for a client certificate. Each may be empty, but cert
// and key belong together. The error lists all faults.
func TLSFiles(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	var errs []error
	if ca != "" {
		pem, err := os.ReadFile(ca)
		c.RootCAs = x509.NewCertPool()
		if err != nil {
			errs = append(errs, fmt.Errorf("mqtt: CA file: %w", err))
		} else if !c.RootCAs.AppendCertsFromPEM(pem) {
			errs = append(errs, fmt.Errorf("mqtt: CA file %s has no certificate in PEM form", ca))
		}
	}
	switch {
	case cert != "" && key != "":
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			errs = append(errs, fmt.Errorf("mqtt: client certificate %s with key %s: %w", cert, key, err))
		}
		c.Certificates = []tls.Certificate{pair}
	case cert != "" || key != "":
		errs = append(errs, errors.New("mqtt: a client certificate and its key belong together: give both files or none"))
	}
	return c, errors.Join(errs...)
}
