package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// certificate writes a self-signed certificate and its key.
func certificate(t *testing.T) (cert, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", pkcs8)
}

func TestBrokerOptions(t *testing.T) {
	cert, key := certificate(t)
	s := brokerSettings{
		url: "mqtts://b", user: "u", password: secretOf("p"), ca: cert, cert: cert, key: key,
		clientID: "id", keepAlive: time.Minute, connections: 2, maxPacket: 4096,
	}
	logger := slog.New(slog.DiscardHandler)
	o, err := s.options(logger)
	require.NoError(t, err)
	require.NotNil(t, o.TLS)
	assert.Len(t, o.TLS.Certificates, 1)
	assert.NotNil(t, o.TLS.RootCAs)
	o.TLS = nil
	assert.Equal(t, &mqtt.Options{URL: "mqtts://b", Username: "u", Password: "p", ClientID: "id", KeepAlive: time.Minute, Connections: 2, MaxPacket: 4096, Logger: logger}, o)

	plain := brokerSettings{url: "mqtt://b"}
	o, err = plain.options(logger)
	require.NoError(t, err)
	assert.Nil(t, o.TLS)

	s.ca = key
	_, err = s.options(logger)
	assert.ErrorContains(t, err, "--broker-ca")
}

func TestBrokerOverview(t *testing.T) {
	for _, c := range []struct {
		from brokerSettings
		want overviewBroker
	}{
		{brokerSettings{url: "mqtt://b"}, overviewBroker{address: "b:1883"}},
		{brokerSettings{url: "mqtt://u@[::1]:7"}, overviewBroker{address: "[::1]:7", user: "u"}},
		{brokerSettings{url: "mqtts://b", user: "v", ca: "ca"}, overviewBroker{address: "b:8883", tls: true, ca: "ca", user: "v"}},
	} {
		got, err := c.from.overview()
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
	s := brokerSettings{url: "mqtt://%zz:secret@b"}
	_, err := s.overview()
	assert.EqualError(t, err, "--broker: cannot be read")
}

func TestServerTLS(t *testing.T) {
	cert, key := certificate(t)
	s := &settings{}
	config, err := s.serverTLS()
	require.NoError(t, err)
	assert.Nil(t, config)
	s.httpCert, s.httpKey = cert, key
	config, err = s.serverTLS()
	require.NoError(t, err)
	assert.Len(t, config.Certificates, 1)
	s.httpKey = cert
	_, err = s.serverTLS()
	assert.ErrorContains(t, err, "--http-cert, --http-key")
}

func TestBusFigures(t *testing.T) {
	got := busFigures(mqtt.Stats{Reconnects: 1, SessionsLost: 2, Takeovers: 3, RefusedSubscriptions: 4, PacketsWritten: 5, BytesWritten: 6, Batches: 7, BacklogBytes: 8, Expired: 9, Unsent: 10, Dropped: 11, ConnectFailures: 12, Disconnects: 13, RefusedRequests: 14, NoSubscriber: 15, Waiting: 16})
	assert.EqualValues(t, 1, got.Reconnects)
	assert.EqualValues(t, 2, got.SessionsLost)
	assert.EqualValues(t, 3, got.Takeovers)
	assert.EqualValues(t, 4, got.RefusedSubscriptions)
	assert.EqualValues(t, 5, got.PacketsWritten)
	assert.EqualValues(t, 6, got.BytesWritten)
	assert.EqualValues(t, 7, got.Batches)
	assert.EqualValues(t, 8, got.BacklogBytes)
	assert.EqualValues(t, 19, got.Unsent)
	assert.EqualValues(t, 11, got.Dropped)
	assert.EqualValues(t, 12, got.ConnectFailures)
	assert.EqualValues(t, 13, got.Disconnects)
	assert.EqualValues(t, 14, got.RefusedRequests)
	assert.EqualValues(t, 15, got.NoSubscriber)
	assert.EqualValues(t, 16, got.Waiting)
}

func TestAbilities(t *testing.T) {
	assert.Equal(t, "not connected yet", abilities(mqtt.BrokerInfo{}))
	full := mqtt.BrokerInfo{Version: "5", ReceiveMaximum: 20, MaxQoS: 2, Retain: true, Wildcards: true, SharedSubscriptions: true}
	assert.Equal(t, "MQTT 5, QoS up to 2, 20 messages of QoS 1 and 2 at a time, packets of any size", abilities(full))
	assert.Equal(t, "MQTT 5, QoS up to 1, 10 messages of QoS 1 and 2 at a time, packets up to 64KiB, no retained messages, no wildcards, no shared subscriptions, tells that nobody is subscribed: yes",
		abilities(mqtt.BrokerInfo{Version: "5", ReceiveMaximum: 10, MaxQoS: 1, MaxPacket: 64 << 10, NoSubscriber: mqtt.Reported}))
}
