package bench

import "errors"

// Servers are kinds of servers by name.
type Servers map[string]Start

// Start starts a server in this process, on a port of its own at 127.0.0.1.
type Start func(Config) (Server, error)

// Server is a server that runs.
type Server struct {
	Address string   // host:port, or the URL of an endpoint
	Broker  string   // host:port of the MQTT broker inside; empty: there is none
	Backend *Backend // which answers behind it; nil: whoever does is not ours
	Stop    func() error
	// Tell answers questions of the benchmark's own; nil: there are none.
	Tell func(what string) (any, error)
}

// Config is what a server is told.
type Config struct {
	Server   string // its name
	Security string `json:",omitempty"` // of OPC UA: None, or a policy, which goes with SignAndEncrypt
	State    string `json:",omitempty"` // a folder with certificates; needed with a policy
	Broker   string `json:",omitempty"` // host:port of the broker outside of the process
}

// WithBackend is a server with a backend of its own.
func WithBackend(start func(Config, *Backend) (address string, stop func() error, err error)) Start {
	return func(c Config) (Server, error) {
		backend, err := NewBackend()
		if err != nil {
			return Server{}, err
		}
		address, stop, err := start(c, backend)
		if err != nil {
			return Server{}, errors.Join(err, backend.Close())
		}
		return Server{Address: address, Backend: backend, Stop: func() error {
			return errors.Join(stop(), backend.Close())
		}}, nil
	}
}
