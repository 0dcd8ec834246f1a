package opcua

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/channel"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/guard"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/pki"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/service"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/session"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/subscription"
)

// ErrClosed is returned by Serve after Shutdown or Close.
var ErrClosed = errors.New("opcua: server is closed")

const (
	productURI      = "https://github.com/flowsync-go/flowsync"
	productName     = "flowsync"
	applicationName = "flowsync"
)

// Server is an OPC UA server.
type Server struct {
	options       Options
	nodes         map[*Node]*service.Node
	space         *space.Space
	subscriptions *subscription.Manager
	services      *service.Service
	channels      *channel.Server

	stop    chan struct{} // closed once nothing is accepted any more
	running sync.WaitGroup

	mu        sync.Mutex // guards all below; leaf
	closing   bool
	refusing  bool // somebody is told that there is no place
	listeners []net.Listener
	conns     []net.Conn // the oldest first
}

// New makes a server. The error lists everything that is wrong with options and tree.
func New(o Options) (*Server, error) {
	err := o.complete()
	if o.Root != nil {
		err = errors.Join(err, errors.Join(CheckTree(o.Root)...))
	}
	if err != nil {
		return nil, err
	}
	identity, trust, err := o.openState()
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, stop: make(chan struct{}), space: space.New(o.info())}
	if s.nodes, err = plant(s.space, o.Root); err != nil {
		return nil, err
	}
	g := guard.New(guard.Limits{})
	s.subscriptions = subscription.NewManager(subscription.Options{
		Space: s.space, MaxSubscriptions: o.MaxSubscriptions, Logger: o.Logger,
	})
	s.services = service.New(service.Options{
		Engine: o.Engine, Space: s.space, Subscriptions: s.subscriptions, Guard: g, Logger: o.Logger,
		Sessions: session.Options{
			Certificate: identity.Certificate, Key: identity.Key, Anonymous: o.Anonymous, Login: o.Login,
			Max: o.MaxSessions,
		},
		Discovery: o.discovery(identity.Certificate),
	})
	s.channels, err = channel.NewServer(channel.Options{
		Certificate: identity.Certificate, Key: identity.Key, Allowed: o.allowed(), Trust: trust,
		Handler: s.services, Guard: g.Request, MaxMessage: service.MaxRequest,
		HandshakeTimeout: o.HandshakeTimeout, WriteTimeout: o.WriteTimeout, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openState loads, or makes, the certificate, and opens the folders of trust. There is none of
// both if nothing needs it.
func (o *Options) openState() (*pki.Identity, func([]byte) (ua.StatusCode, error), error) {
	application := pki.Application{Name: applicationName, URI: o.ApplicationURI, Hosts: o.hosts()}
	if !o.secure() {
		if o.Login == nil {
			return &pki.Identity{}, nil, nil
		}
		identity, err := pki.New(application)
		return identity, nil, err
	}
	dir := filepath.Join(o.State, "pki")
	identity, err := pki.Load(dir, application)
	if err != nil {
		return nil, nil, err
	}
	trust, err := pki.OpenTrust(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, doubt := range pki.Doubts(dir, identity) {
		o.Logger.Warn("opcua: " + doubt)
	}
	return identity, trust.Check, nil
}

// hosts are the names and addresses in the certificate: those that were given, or else those that
// this machine has for itself.
func (o *Options) hosts() []string {
	if len(o.Hosts) > 0 {
		return o.Hosts
	}
	hosts := []string{"localhost", "127.0.0.1", "::1"}
	name, err := os.Hostname()
	ascii := !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
	if err == nil && name != "" && name != "localhost" && ascii {
		hosts = append(hosts, name)
	}
	return hosts
}

func (o *Options) info() space.Info {
	info := space.Info{
		ApplicationURI: o.ApplicationURI, ProductURI: productURI, ProductName: productName,
		Manufacturer: productName, Version: o.Version, MaxSessions: uint32(o.MaxSessions),
		MaxArrayLength: 65_535, MaxStringLength: 1 << 20, MaxByteStringLength: 1 << 20,
		MaxBrowseContinuationPoints: service.MaxContinuations,
		MaxNodesPerRead:             service.MaxRead, MaxNodesPerWrite: service.MaxWrite, MaxNodesPerMethodCall: service.MaxCall,
		MaxNodesPerBrowse: service.MaxBrowse, MaxNodesPerTranslate: service.MaxTranslate, MaxNodesPerRegister: service.MaxRegister,
		MaxMonitoredItemsPerCall: 10_000, MaxSubscriptions: uint32(o.MaxSubscriptions), MinSupportedSampleRate: 0,
	}
	for _, s := range o.Security {
		if uri := policies[s.Policy]; !slices.Contains(info.Policies, uri) {
			info.Policies = append(info.Policies, uri)
		}
	}
	return info
}

func (o *Options) discovery(certificate []byte) service.Discovery {
	d := service.Discovery{
		ApplicationURI: o.ApplicationURI, ProductURI: productURI, ApplicationName: applicationName, Path: o.Path,
		Certificate: certificate, Anonymous: o.Anonymous, UserName: o.Login != nil,
	}
	for _, s := range o.Security {
		d.Security = append(d.Security, service.Security{PolicyURI: policies[s.Policy], Mode: modes[s.Mode]})
	}
	return d
}

// allowed says which channels there may be.
func (o *Options) allowed() func(string, ua.MessageSecurityMode) bool {
	security := o.discovery(nil).Security
	return func(policyURI string, mode ua.MessageSecurityMode) bool {
		return slices.Contains(security, service.Security{PolicyURI: policyURI, Mode: mode})
	}
}

// Provide gives a Variable of the tree a new value, JSON text: how values that come over MQTT get
// in. The error says why the text does not fit the data type; the variable keeps its value then.
func (s *Server) Provide(n *Node, text []byte) error {
	node := s.nodes[n]
	if node == nil || n.Class != Variable {
		return fmt.Errorf("opcua: node %s is no Variable of this server", n)
	}
	v, err := n.DataType.Parse(text)
	if err != nil {
		return fmt.Errorf("opcua: node %s: %w", n, err)
	}
	node.Set(v)
	return nil
}

// Drain stops accepting, and tells clients that the server shuts down in so long a time. What is
// held goes on. Shutdown does it, too; a gateway drains its engine first, and calls it before.
func (s *Server) Drain(remaining time.Duration) {
	s.stopAccepting()
	s.space.SetDraining(remaining)
}

// Shutdown stops accepting, tells clients that the server shuts down, and waits until held
// requests have got their responses; then it closes. If ctx ends first its error is
// returned, and Close ends what is left. It ends no held operation: the engine does.
func (s *Server) Shutdown(ctx context.Context) error {
	remaining := defaultRemaining
	if deadline, ok := ctx.Deadline(); ok {
		remaining = max(0, time.Until(deadline))
	}
	s.Drain(remaining)
	if err := s.services.WaitIdle(ctx); err != nil {
		return err
	}
	s.leave()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return s.Close()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave closes all connections: those of clients with a session behind what they have yet to
// get.
func (s *Server) leave() {
	used := s.services.Clients()
	s.services.Leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		if !used[conn.RemoteAddr().String()] {
			_ = conn.Close() // it is gone either way
		}
	}
}

// Close closes all connections, so that what they hold is cancelled, and returns when their
// goroutines have ended. It may be called more than once.
func (s *Server) Close() error {
	s.stopAccepting()
	s.mu.Lock()
	for _, conn := range s.conns {
		_ = conn.Close() // it is gone either way
	}
	s.mu.Unlock()
	s.running.Wait()
	s.services.Close()
	s.subscriptions.Close()
	return nil
}
