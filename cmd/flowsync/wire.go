package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/admin"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/gateway"
	"github.com/flowsync-go/flowsync/transport/mqtt/embedded"
)

// largestFile is what is read of a file: a byte more than the loader takes, so that it can say so.
const largestFile = 4<<20 + 1

// readModel reads files and makes a model of them; nil if they have errors. An empty mqttHost
// means localhost.
func readModel(files []string, s modelSettings, mqttHost string) (*commission.Model, []finding) {
	var sources []commission.Source
	var findings []finding
	for _, name := range files {
		data, err := readFile(name)
		if err != nil {
			findings = append(findings, finding{text: fmt.Sprintf("%s: cannot be read: %v", name, err)})
			continue
		}
		sources = append(sources, commission.Source{Name: name, Data: data})
	}
	unreadable := len(findings) > 0
	model, problems := commission.Load(sources, commission.LoadOptions{
		Params: s.params, ServiceID: s.serviceID, Lenient: s.lenient, MqttHost: mqttHost,
	})
	for _, p := range problems {
		findings = append(findings, finding{text: p.String(), warning: p.Warning})
	}
	if unreadable {
		return nil, findings
	}
	return model, findings
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, largestFile))
}

// readModel reads files as they are served, with the broker that is connected to. How a URL can
// be wrong has been judged.
func (s *settings) readModel(files []string) (*commission.Model, []finding) {
	host := ""
	if u, err := url.Parse(s.broker.url); err == nil {
		host = u.Hostname()
	}
	return readModel(files, s.model, host)
}

// readFiles is the reader of the real process. There is no broker: its host is read as localhost.
func readFiles(files []string, s modelSettings) []finding {
	_, findings := readModel(files, s, "")
	return findings
}

// openGateway is the opener of the real process.
func openGateway(ctx context.Context, p *process, files []string, s *settings, logger *slog.Logger) (service, error) {
	model, findings := s.readModel(files)
	if err := printFindings(p.stderr, findings); err != nil {
		return nil, err
	}
	if model == nil {
		return nil, exitCode(exitFailed)
	}
	if err := s.judgeModel(model, logger); err != nil {
		return nil, err
	}
	c, err := openConsole(s, logger)
	if err != nil {
		return nil, err
	}
	opened, err := openWithConsole(ctx, model, s, logger, c)
	if err != nil {
		_ = c.close(ctx) // the first error is the one to tell
		return nil, err
	}
	return opened, nil
}

func openWithConsole(ctx context.Context, model *commission.Model, s *settings, logger *slog.Logger, c *console) (service, error) {
	set, err := s.gateway(logger)
	if err != nil {
		return nil, err
	}
	set.Observer = c.observer()
	g, err := gateway.Open(ctx, model, *set)
	if err != nil {
		return nil, err
	}
	o, err := overviewOf(g, s)
	if err == nil {
		var joined *joined
		if joined, err = join(g, sourcesOf(g), c, o); err == nil {
			return joined, nil
		}
	}
	_ = g.Shutdown(ctx) // likewise
	return nil, err
}

// gateway are the settings as the gateway takes them. Files are read here.
func (s *settings) gateway(logger *slog.Logger) (*gateway.Settings, error) {
	config, err := s.serverTLS()
	if err != nil {
		return nil, err
	}
	set := &gateway.Settings{
		HTTP: s.http, HTTPPrefix: s.httpPrefix, TLS: config, AllowOrigins: s.origins, Token: s.token.reveal(),
		OPCUA: s.opcua, State: s.state, Version: version,
		NoShare: s.broker.noShare, MaxInFlight: s.maxInFlight, MaxHeldBytes: s.maxHeldBytes, Logger: logger,
	}
	if !s.users.none() {
		set.Login = s.users.login
	}
	if s.broker.url != "" {
		set.Broker, err = s.broker.options(logger)
		return set, err
	}
	set.Embedded = embedded.Options{
		Addr: s.embedded, AnyPort: s.embedded == "", MaxInFlight: s.maxInFlight, MaxPacket: s.broker.maxPacket, Logger: logger,
	}
	return set, nil
}

// sourcesOf is what the metrics read of a gateway.
func sourcesOf(g *gateway.Gateway) admin.Sources {
	sources := admin.Sources{Engine: g.Engine(), Broker: brokerFigures(g), LostEnds: g.LostEnds}
	if nodes := g.Keyed(); len(nodes) > 0 {
		sources.Keys = func() []admin.NodeKeys {
			all := make([]admin.NodeKeys, 0, len(nodes))
			for _, n := range nodes {
				all = append(all, admin.NodeKeys{Node: n.Name(), NodeStats: g.KeyStats(n)})
			}
			return all
		}
	}
	if g.Journal() != nil {
		sources.Journal = g.Journal().Stats
	}
	return sources
}

// brokerFigures returns what reads the counters of the connection to the broker.
func brokerFigures(g *gateway.Gateway) func() admin.BrokerStats {
	return func() admin.BrokerStats {
		if external, ok := g.ExternalStats(); ok {
			return busFigures(external)
		}
		return embeddedFigures(g.EmbeddedStats())
	}
}

// overviewOf says what a human may do with an open gateway.
func overviewOf(g *gateway.Gateway, s *settings) (overview, error) {
	o := overview{
		http: g.HTTPAddr(), tls: s.httpCert != "", tokenFile: s.tokenFile, filters: g.TopicFilters(),
		broker: overviewBroker{address: g.EmbeddedAddr(), inside: true},
	}
	var err error
	if s.broker.url != "" {
		o.broker, err = s.broker.overview()
		o.broker.about = abilities(g.Broker())
	}
	for _, r := range g.Routes() {
		o.routes = append(o.routes, overviewRoute{method: r.Method, path: r.Path, about: about(r)})
	}
	o.opcua = opcuaOverview(g.OPCUA())
	return o, err
}

func about(r gateway.RouteInfo) string {
	switch {
	case r.Operation == commission.Transaction:
		return fmt.Sprintf("held until it is answered, at most %v", r.Timeout)
	case r.Method == "GET":
		return "the last value on " + r.Topic
	default:
		return "published on " + r.Topic
	}
}
