package gateway

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

const clientURI = "urn:press:client"

// clientCertificate is one that fits a client of clientURI.
func clientCertificate(t *testing.T) (*rsa.PrivateKey, []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	uri, err := url.Parse(clientURI)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "press"}, URIs: []*url.URL{uri},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return key, certificate
}

// TestCertificatesAndUsers: with a folder and users, a client gets in when its certificate was
// moved from rejected to trusted and its user knows the password. The folder keeps what the server is
// known by.
func TestCertificatesAndUsers(t *testing.T) {
	s := settings(&logBuffer{})
	s.State = t.TempDir()
	s.Login = func(user, password string) bool { return user == "press" && password == "hunter2" }
	file := httpHead + "  ua: {type: Cybus::Server::Opcua, properties: {allowAnonymous: false}}\n" +
		"  press: {type: Cybus::Node::Opcua, properties: {parent: !ref ua, browseName: Press, nodeType: Object}}\n"
	key, certificate := clientCertificate(t)
	serve := func(use func(connect func(password string) error)) (own []byte) {
		g, err := Open(context.Background(), load(t, file), s)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		endpoints, err := opcua.GetEndpoints(ctx, "opc.tcp://"+g.OPCUA().Addr)
		require.NoError(t, err)
		require.Len(t, endpoints, 3)
		use(func(password string) error {
			client, err := opcua.NewClient(endpoints[0].EndpointURL, opcua.AutoReconnect(false),
				opcua.ApplicationURI(clientURI), opcua.Certificate(certificate), opcua.PrivateKey(key),
				opcua.AuthUsername("press", password), opcua.SecurityFromEndpoint(endpoints[0], ua.UserTokenTypeUserName))
			require.NoError(t, err)
			defer client.Close(ctx)
			return client.Connect(ctx)
		})
		require.NoError(t, g.Shutdown(ctx))
		return endpoints[0].ServerCertificate
	}
	first := serve(func(connect func(string) error) {
		require.Error(t, connect("hunter2"), "a stranger")
		pki := filepath.Join(s.State, "pki")
		rejected, err := os.ReadDir(filepath.Join(pki, "rejected", "certs"))
		require.NoError(t, err)
		require.Len(t, rejected, 1)
		name := rejected[0].Name()
		require.NoError(t, os.Rename(filepath.Join(pki, "rejected", "certs", name), filepath.Join(pki, "trusted", "certs", name)))
		require.NoError(t, connect("hunter2"))
		require.ErrorIs(t, connect("hunter3"), ua.StatusBadUserAccessDenied)
	})
	again := serve(func(connect func(string) error) { require.NoError(t, connect("hunter2")) })
	require.Equal(t, first, again)
}

// TestUsersWithoutCertificates: with the mode None a password is encrypted all the same.
func TestUsersWithoutCertificates(t *testing.T) {
	s := settings(&logBuffer{})
	s.Login = func(user, password string) bool { return user == "press" && password == "hunter2" }
	g, err := Open(context.Background(), load(t, httpHead+"  ua: {type: Cybus::Server::Opcua, properties: {allowAnonymous: false, securityModes: [None]}}\n"+
		"  press: {type: Cybus::Node::Opcua, properties: {parent: !ref ua, browseName: Press, nodeType: Object}}\n"), s)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	endpoints, err := opcua.GetEndpoints(ctx, "opc.tcp://"+g.OPCUA().Addr)
	require.NoError(t, err)
	connect := func(auth opcua.Option, kind ua.UserTokenType) error {
		client, err := opcua.NewClient(endpoints[0].EndpointURL, opcua.AutoReconnect(false), auth, opcua.SecurityFromEndpoint(endpoints[0], kind))
		require.NoError(t, err)
		defer client.Close(ctx)
		return client.Connect(ctx)
	}
	require.NoError(t, connect(opcua.AuthUsername("press", "hunter2"), ua.UserTokenTypeUserName))
	require.Error(t, connect(opcua.AuthUsername("press", "hunter3"), ua.UserTokenTypeUserName))
	require.Error(t, connect(opcua.AuthAnonymous(), ua.UserTokenTypeAnonymous))
	require.NoError(t, g.Shutdown(ctx))
}
