package gateway

import (
	"fmt"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/commission"
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
)

// addMappings starts the model's mappings.
func (g *Gateway) addMappings(model *commission.Model) error {
	for _, service := range model.Services {
		for _, m := range service.Mappings {
			if err := g.addMapping(service.ID, m); err != nil {
				return fmt.Errorf("%s: mapping %s: %w", m.Pos, m.ID, err)
			}
		}
	}
	return nil
}

func (g *Gateway) addMapping(service string, m *commission.Mapping) error {
	pipeline, err := compile(m.Rules, false)
	if err != nil {
		return err
	}
	if pipeline == nil {
		pipeline = &rules.Pipeline{}
	}
	to := target{topic: m.Publish.Topic, qos: m.Publish.QoS, retain: m.Publish.Retain}
	r := newRelay(service+"/"+m.ID, pipeline, to, g.link, g.settings.Logger)
	g.relays = append(g.relays, r)
	for _, in := range m.Inputs {
		filter := in.Filter
		if !g.settings.NoShare {
			// Of several gateways with the same files one maps a message, not each of them.
			filter = "$share/flowsync-" + service + "/" + filter
		}
		if err := g.link.Subscribe(filter, in.QoS, r.handler(in.Names, in.Filter, in.Label)); err != nil {
			return err
		}
	}
	return nil
}
