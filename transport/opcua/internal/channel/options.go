package channel

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/ua"
)

// Options of channels. Zero values of limits and times mean their defaults.
type Options struct {
	// Certificate (DER) and Key are the server's; nil: only the policy None. RSA, 2048 to 4096 bits.
	Certificate []byte
	Key         *rsa.PrivateKey
	// Allowed says which policy and mode a channel may have. None with mode None is always let
	// through here, because clients ask for endpoints that way; what else such a channel may do is
	// the handler's to judge. Other than None there are Basic256Sha256, Aes128_Sha256_RsaOaep and
	// Aes256_Sha256_RsaPss; what rests on SHA-1 signatures (Basic128Rsa15, Basic256) is never
	// spoken. nil: only None.
	Allowed func(policyURI string, mode ua.MessageSecurityMode) bool
	// Trust judges a client's certificate; it may block. nil: all are refused.
	Trust func(der []byte) (ua.StatusCode, error)
	// Handler takes the messages. Required.
	Handler Handler
	// Guard judges the body of OPN messages before they are decoded; those of CLO are never
	// decoded. Required.
	Guard func(body []byte) error

	ReceiveBuffer, SendBuffer int           // bytes of a chunk, at least 8192; 65 535
	MaxMessage                int           // bytes of a request; 2 MiB
	MaxUnproven               int           // bytes of a request from who has shown neither certificate nor login; 128 KiB
	MaxChunks                 int           // of a request; 512
	MaxQueue                  int           // bytes of responses that may wait to be written; 16 MiB
	HandshakeTimeout          time.Duration // from accept to the first OPN; 5 s
	WriteTimeout              time.Duration // of a write of about 64 KiB; 10 s
	MinLifetime, MaxLifetime  time.Duration // of a token; 3 s (what tests of renewal use), 1 h
	// Logger hears of refused channels and of panics, a few lines a second at most. nil: slog.Default().
	Logger *slog.Logger
}

// Handler takes what clients send.
type Handler interface {
	// Handle is called on the connection's reader with each MSG body, in order, one at a time.
	// The body is the handler's from then on. An error that is a ua.StatusCode (or wraps one)
	// ends the connection with that code in an ERR message.
	Handle(c *Channel, requestID uint32, body []byte) error
	// Closed is called once for each channel that got open, after the last Handle, also when that
	// panicked: nothing can be sent any more.
	Closed(c *Channel)
}

// smallestBuffer is what both sides must be able to take (OPC 10000-6, 7.1.2.3).
const smallestBuffer = 8192

// Server makes channels. It has no goroutines of its own.
type Server struct {
	Options
	leaf    *x509.Certificate // of Certificate
	log     journal
	channel atomic.Uint32 // the id of the last channel
}

// NewServer judges the options. The error lists everything that is wrong.
func NewServer(o Options) (*Server, error) {
	s := &Server{Options: o}
	s.setDefaults()
	err := errors.Join(s.checkLimits(), s.checkIdentity())
	if o.Handler == nil {
		err = errors.Join(err, errors.New("channel: Handler is missing"))
	}
	if o.Guard == nil {
		err = errors.Join(err, errors.New("channel: Guard is missing"))
	}
	if err != nil {
		return nil, err
	}
	s.log.init(s.Logger)
	// A client that held a channel of an earlier run must not find its number again.
	var start [4]byte
	_, _ = rand.Read(start[:]) // never fails
	s.channel.Store(binary.LittleEndian.Uint32(start[:]))
	return s, nil
}

func (s *Server) setDefaults() {
	orDefault(&s.ReceiveBuffer, 65535)
	orDefault(&s.SendBuffer, 65535)
	orDefault(&s.MaxMessage, 2<<20)
	orDefault(&s.MaxUnproven, 128<<10)
	orDefault(&s.MaxChunks, 512)
	orDefault(&s.MaxQueue, 16<<20)
	orDefault(&s.HandshakeTimeout, 5*time.Second)
	orDefault(&s.WriteTimeout, 10*time.Second)
	orDefault(&s.MinLifetime, 3*time.Second)
	orDefault(&s.MaxLifetime, time.Hour)
	if s.Logger == nil {
		s.Logger = slog.Default()
	}
	if s.Allowed == nil {
		s.Allowed = func(string, ua.MessageSecurityMode) bool { return false }
	}
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (s *Server) checkLimits() error {
	var errs []error
	for _, l := range []struct {
		name      string
		is, least int64
	}{
		{"ReceiveBuffer", int64(s.ReceiveBuffer), smallestBuffer},
		{"SendBuffer", int64(s.SendBuffer), smallestBuffer},
		{"MaxMessage", int64(s.MaxMessage), smallestBuffer},
		{"MaxUnproven", int64(s.MaxUnproven), smallestBuffer},
		{"MaxChunks", int64(s.MaxChunks), 1},
		{"MaxQueue", int64(s.MaxQueue), smallestBuffer},
		{"HandshakeTimeout", int64(s.HandshakeTimeout), 1},
		{"WriteTimeout", int64(s.WriteTimeout), 1},
		{"MinLifetime", int64(s.MinLifetime), int64(time.Millisecond)},
		{"MaxLifetime", int64(s.MaxLifetime), int64(s.MinLifetime)},
	} {
		if l.is < l.least {
			errs = append(errs, fmt.Errorf("channel: %s is %d, it must be at least %d", l.name, l.is, l.least))
		}
	}
	for name, size := range map[string]int{"ReceiveBuffer": s.ReceiveBuffer, "SendBuffer": s.SendBuffer} {
		if size > 1<<24 {
			errs = append(errs, fmt.Errorf("channel: %s is %d, it must be at most 16 MiB", name, size))
		}
	}
	return errors.Join(errs...)
}

func (s *Server) checkIdentity() error {
	if s.Key == nil && s.Certificate == nil {
		return nil
	}
	if s.Key == nil || s.Certificate == nil {
		return errors.New("channel: Certificate and Key must be given together")
	}
	leaf, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return fmt.Errorf("channel: Certificate: %w", err)
	}
	if !s.Key.PublicKey.Equal(leaf.PublicKey) {
		return errors.New("channel: Key is not the one of Certificate")
	}
	if bits := s.Key.N.BitLen(); bits < 2048 || bits > 4096 {
		return fmt.Errorf("channel: Key has %d bits, the policies ask for 2048 to 4096", bits)
	}
	if len(s.Certificate) > maxOwnCertificate {
		return fmt.Errorf("channel: Certificate has %d bytes, at most %d fit into the smallest buffer of a client", len(s.Certificate), maxOwnCertificate)
	}
	s.leaf = leaf
	return nil
}

// nextID gives a channel its number.
func (s *Server) nextID() uint32 {
	for {
		if id := s.channel.Add(1); id != 0 {
			return id
		}
	}
}

// Refuse ends a connection that is not to be served, such as one too many
// (ua.StatusBadTCPServerTooBusy). It takes two seconds at most.
func (s *Server) Refuse(conn net.Conn, status ua.StatusCode) {
	_ = conn.SetDeadline(time.Now().Add(lastWordsTime))
	if _, err := conn.Write(errorMessage(status, "")); err == nil {
		drain(conn)
	}
	_ = conn.Close()
}
