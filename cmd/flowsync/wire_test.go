package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMqttHost: what files call Cybus::MqttHost is the broker that is connected to.
func TestMqttHost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
metadata: {name: test}
resources:
  http: {type: Cybus::Server::Http, properties: {basePath: !sub '/${Cybus::MqttHost}'}}
  ask:
    type: Cybus::Node::Http
    properties: {parent: !ref http, method: POST, route: /ask, operation: transaction}
`), 0o600))
	for url, want := range map[string]string{
		"": "/localhost", "mqtt://plant:1884": "/plant", "mqtts://u@10.0.0.1": "/10.0.0.1", "mqtt://%zz": "/localhost",
	} {
		s := &settings{broker: brokerSettings{url: url}}
		model, findings := s.readModel([]string{file})
		require.NotNil(t, model, "%v", findings)
		assert.Equal(t, want, model.Services[0].HTTPServers[0].BasePath, url)
	}
}
