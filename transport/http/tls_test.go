package http_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
	"github.com/flowsync-go/flowsync/transport/http"
)

// certificate makes a self-signed certificate for localhost and the pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLS(t *testing.T) {
	own, pool := certificate(t)
	engine := newFakeEngine(nil)
	r := serve(t, http.Options{Engine: engine, TLS: &tls.Config{Certificates: []tls.Certificate{own}}, ReadTimeout: 500 * time.Millisecond},
		transaction("POST", "/x", node(t, core.NodeOptions{})))
	dial := func(t *testing.T) *client {
		c, err := tls.Dial("tcp", r.address, &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{"h2", "http/1.1"}})
		require.NoError(t, err)
		require.Equal(t, "http/1.1", c.ConnectionState().NegotiatedProtocol)
		return newClient(t, c)
	}
	t.Run("keep-alive", func(t *testing.T) {
		c := dial(t)
		for i := range 50 {
			c.send(post("/x", "", `"`+strings.Repeat("x", 1000*i)+`"`))
			b := engine.next(t)
			require.True(t, engine.end(b.ID, answered(b.Value)))
			require.Equal(t, b.Value, c.receive().Text)
		}
	})
	t.Run("pipelining", func(t *testing.T) {
		c := dial(t)
		c.send(post("/x", "", "1"))
		first := engine.next(t)
		for range 5 { // records that arrive while it is held
			c.send(post("/x", "", `"`+strings.Repeat("x", 1000)+`"`))
		}
		require.True(t, engine.end(first.ID, answered("1")))
		require.Equal(t, "1", c.receive().Text)
		for range 5 {
			b := engine.next(t)
			require.True(t, engine.end(b.ID, answered(b.Value)))
			require.Len(t, c.receive().Text, 1002)
		}
	})
	t.Run("disconnect", func(t *testing.T) {
		for i, leave := range []func(c *client){
			func(c *client) { require.NoError(t, c.Close()) },
			func(c *client) { require.NoError(t, c.Conn.(*tls.Conn).NetConn().Close()) },
		} {
			c := dial(t)
			c.send(post("/x", "", "1"))
			engine.next(t)
			leave(c)
			engine.cancelledWithin(t, i+1, time.Second)
		}
	})
	t.Run("refused", func(t *testing.T) {
		c := dial(t)
		c.send("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n" + strings.Repeat("x", 100000))
		require.Equal(t, 413, c.receive().StatusCode)
	})
	t.Run("old version", func(t *testing.T) {
		_, err := tls.Dial("tcp", r.address, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		require.Error(t, err)
	})
	t.Run("no handshake", func(t *testing.T) {
		r.dial(t).ended()
		c := r.dial(t)
		c.send("POST /x HTTP/1.1\r\n\r\n")
		_, err := c.Read(make([]byte, 1))
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("shutdown", func(t *testing.T) {
		c := dial(t)
		c.send(post("/x", "", "1"))
		b := engine.next(t)
		done := make(chan error, 1)
		go func() { done <- r.Shutdown(context.Background()) }()
		require.Eventually(t, func() bool {
			raw, err := net.Dial("tcp", r.address)
			if err == nil {
				_ = raw.Close()
			}
			return err != nil
		}, patience, time.Millisecond)
		require.True(t, engine.end(b.ID, answered("1")))
		got := c.receive()
		require.Equal(t, "1", got.Text)
		require.True(t, got.Close)
		require.NoError(t, <-done)
	})
}
