package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/admin"
	"github.com/flowsync-go/flowsync/transport/mqtt"
	"github.com/flowsync-go/flowsync/transport/mqtt/embedded"
)

// options are what the transport needs to reach the broker. Files are read here.
func (s *brokerSettings) options(logger *slog.Logger) (*mqtt.Options, error) {
	o := &mqtt.Options{
		URL: s.url, Username: s.user, Password: s.password.reveal(), ClientID: s.clientID,
		KeepAlive: s.keepAlive, Connections: s.connections, MaxPacket: s.maxPacket, Logger: logger,
	}
	if s.ca == "" && s.cert == "" {
		return o, nil
	}
	config, err := mqtt.TLSFiles(s.ca, s.cert, s.key)
	if err != nil {
		return nil, fmt.Errorf("--broker-ca, --broker-cert, --broker-key: %w", err)
	}
	o.TLS = config
	return o, nil
}

// overview is what a human needs to connect to the broker too. The URL has been judged.
func (s *brokerSettings) overview() (overviewBroker, error) {
	u, err := url.Parse(s.url)
	if err != nil {
		return overviewBroker{}, errors.New("--broker: cannot be read")
	}
	b := overviewBroker{address: u.Host, tls: u.Scheme == "mqtts", ca: s.ca, user: s.user}
	if b.user == "" {
		b.user = u.User.Username()
	}
	if u.Port() == "" && b.tls {
		b.address += ":8883"
	} else if u.Port() == "" {
		b.address += ":1883"
	}
	return b, nil
}

// serverTLS is how HTTPS is served; nil: plain HTTP.
func (s *settings) serverTLS() (*tls.Config, error) {
	if s.httpCert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.httpCert, s.httpKey)
	if err != nil {
		return nil, fmt.Errorf("--http-cert, --http-key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// busFigures are the counters of a connection to a broker outside, for the metrics.
func busFigures(s mqtt.Stats) admin.BrokerStats {
	return admin.BrokerStats{
		Reconnects:           s.Reconnects,
		SessionsLost:         s.SessionsLost,
		Takeovers:            s.Takeovers,
		ConnectFailures:      s.ConnectFailures,
		Disconnects:          s.Disconnects,
		RefusedRequests:      s.RefusedRequests,
		NoSubscriber:         s.NoSubscriber,
		Waiting:              s.Waiting,
		RefusedSubscriptions: s.RefusedSubscriptions,
		PacketsWritten:       s.PacketsWritten,
		Batches:              s.Batches,
		BytesWritten:         s.BytesWritten,
		BacklogBytes:         s.BacklogBytes,
		Unsent:               s.Expired + s.Unsent,
		Dropped:              s.Dropped,
	}
}

// embeddedFigures are the counters of the broker inside the process, for the metrics. There is no
// connection that could be lost, and nothing is batched.
func embeddedFigures(s embedded.Stats) admin.BrokerStats {
	return admin.BrokerStats{
		PacketsWritten: s.Requests,
		NoSubscriber:   s.NoSubscriber,
		Unsent:         s.Expired,
		Dropped:        s.Dropped + s.HandlersDropped,
	}
}

// abilities says what a broker outside can do, in a few words.
func abilities(b mqtt.BrokerInfo) string {
	if b.Version == "" {
		return "not connected yet"
	}
	packets := "packets of any size"
	if b.MaxPacket > 0 {
		packets = "packets up to " + sizeText(int64(b.MaxPacket))
	}
	text := fmt.Sprintf("MQTT %s, QoS up to %d, %d messages of QoS 1 and 2 at a time, %s", b.Version, b.MaxQoS, b.ReceiveMaximum, packets)
	for _, lacks := range []struct {
		has  bool
		what string
	}{{b.Retain, "retained messages"}, {b.Wildcards, "wildcards"}, {b.SharedSubscriptions, "shared subscriptions"}} {
		if !lacks.has {
			text += ", no " + lacks.what
		}
	}
	if b.NoSubscriber != mqtt.Unknown {
		text += ", tells that nobody is subscribed: " + b.NoSubscriber.String()
	}
	return text
}
