package bench

import "fmt"

// External is flowsync and the broker mochi in a process of its own. QoS is that of requests and
// answers; with 1 or 2 mochi v2.7.9 stands still after some ten thousand messages, because it takes
// a read lock twice (Inflight.NextImmediate), so that only 0 can be measured.
func External(qos int) *Path {
	return &Path{Name: fmt.Sprintf("bus=external/qos=%d", qos), Open: func(s *Site) (string, error) {
		broker, err := s.Serve(Broker, Config{Server: MochiName})
		if err != nil {
			return "", err
		}
		return s.behind(broker.Address, qos)
	}}
}

// WithMosquitto is flowsync and the broker mosquitto, which has to be installed.
func WithMosquitto(qos int) *Path {
	return &Path{Name: fmt.Sprintf("bus=mosquitto/qos=%d", qos), Open: func(s *Site) (string, error) {
		broker, err := s.mosquitto()
		if err != nil {
			return "", err
		}
		return s.behind(broker, qos)
	}}
}

// behind starts flowsync and a responder for a broker, host:port.
func (s *Site) behind(broker string, qos int) (address string, err error) {
	w, err := s.flowsync(qos, "--broker", "mqtt://"+broker)
	if err != nil {
		return "", err
	}
	return w.http, s.Respond(broker, EchoTopic, qos)
}

// Embedded is flowsync with the broker inside its process.
func Embedded(qos int) *Path {
	return &Path{Name: fmt.Sprintf("bus=embedded/qos=%d", qos), Open: func(s *Site) (string, error) {
		w, err := s.flowsync(qos, "--embedded", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		return w.http, s.Respond(w.broker, EchoTopic, qos)
	}}
}

// Mem is the gateway's parts on a bus inside the process, and the responder there as well.
func Mem() *Path {
	return Alone("bus=mem", MemName)
}

// Alone is a server of this program that answers by itself.
func Alone(name, server string) *Path {
	return &Path{Name: name, Open: func(s *Site) (string, error) {
		gateway, err := s.Serve(Gateway, Config{Server: server})
		if err != nil {
			return "", err
		}
		return gateway.Address, nil
	}}
}

// WithBroker is a server of this program that asks the responder over the broker mochi, and is told
// the broker in its [Config].
func WithBroker(name, server string) *Path {
	return &Path{Name: name, Open: func(s *Site) (string, error) {
		broker, err := s.Serve(Broker, Config{Server: MochiName})
		if err != nil {
			return "", err
		}
		gateway, err := s.Serve(Gateway, Config{Server: server, Broker: broker.Address})
		if err != nil {
			return "", err
		}
		return gateway.Address, s.Respond(broker.Address, EchoTopic, 0)
	}}
}

// WithBrokerInside is a server of this program that has a broker inside, where the responder is a
// client.
func WithBrokerInside(name, server string) *Path {
	return &Path{Name: name, Open: func(s *Site) (string, error) {
		gateway, err := s.Serve(Gateway, Config{Server: server})
		if err != nil {
			return "", err
		}
		return gateway.Address, s.Respond(gateway.Broker, EchoTopic, 0)
	}}
}
