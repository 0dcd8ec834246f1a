package opcua

import (
	"net"
	"slices"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/internal/accept"
)

// defaultRemaining is what clients are told of how long a shutdown takes when nobody has said.
const defaultRemaining = 10 * time.Second

// Serve accepts connections from ln until Shutdown or Close, and returns nil then. It closes ln.
// It may be called for several listeners.
func (s *Server) Serve(ln net.Listener) error {
	if !s.addListener(ln) {
		_ = ln.Close()
		return ErrClosed
	}
	loop := accept.Loop{Stop: s.stop, Start: s.start, Logger: s.options.Logger}
	return loop.Run(ln)
}

func (s *Server) addListener(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.listeners = append(s.listeners, ln)
	return true
}

func (s *Server) stopAccepting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.closing = true
		close(s.stop)
	}
	for _, ln := range s.listeners {
		_ = ln.Close() // it is gone either way
	}
}

// start serves a connection on a goroutine of its own.
func (s *Server) start(conn net.Conn) {
	if !s.track(conn) {
		s.refuse(conn)
		return
	}
	go func() {
		defer s.untrack(conn)
		s.channels.Serve(conn)
	}()
}

// refuse tells a client that there is no place. One at a time is told: who floods us is not.
func (s *Server) refuse(conn net.Conn) {
	s.mu.Lock()
	told := !s.closing && !s.refusing
	if told {
		s.refusing = true
		s.running.Add(1)
	}
	s.mu.Unlock()
	if !told {
		_ = conn.Close()
		return
	}
	go func() {
		defer s.running.Done()
		s.channels.Refuse(conn, ua.StatusBadTCPServerTooBusy)
		s.mu.Lock()
		s.refusing = false
		s.mu.Unlock()
	}()
}

// track takes a connection in, if there is a place. The oldest one without a session makes place:
// who has not logged in must not keep others out (OPC 10000-4, 5.5.2).
func (s *Server) track(conn net.Conn) bool {
	s.mu.Lock()
	full := len(s.conns) >= s.options.MaxChannels
	s.mu.Unlock()
	var used map[string]bool
	if full {
		used = s.services.Clients()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	if len(s.conns) >= s.options.MaxChannels {
		i := slices.IndexFunc(s.conns, func(other net.Conn) bool { return !used[other.RemoteAddr().String()] })
		if i < 0 {
			return false
		}
		_ = s.conns[i].Close()
		s.conns = slices.Delete(s.conns, i, i+1)
	}
	s.conns = append(s.conns, conn)
	s.running.Add(1)
	return true
}

func (s *Server) untrack(conn net.Conn) {
	s.mu.Lock()
	if i := slices.Index(s.conns, conn); i >= 0 {
		s.conns = slices.Delete(s.conns, i, i+1)
	}
	s.mu.Unlock()
	s.running.Done()
}
