package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

const (
	// sendBuffer bounds what the kernel holds, in bytes: a request in there counts as sent.
	sendBuffer = 64 << 10
	// stall is how long a broker may acknowledge nothing of what we send, or take nothing. After
	// that the connection is lost.
	stall = 10 * time.Second
)

// probing finds out that nobody is there any more when we have nothing to send.
var probing = net.KeepAliveConfig{Enable: true, Idle: stall / 2, Interval: stall / 2, Count: 2}

// dial makes the TCP connection and, with mqtts, the TLS handshake.
func (b *broker) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, b.DialTimeout)
	defer cancel()
	raw, err := b.connect(ctx, "tcp", b.address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		giveUpAfter(tcp, b.stall)
		_ = tcp.SetWriteBuffer(sendBuffer) // if it cannot be set the default serves too
		raw = prompt(tcp)
	}
	if b.TLS == nil {
		return raw, nil
	}
	config := b.TLS.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(b.address)
	}
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	return secure, nil
}

// refusal says why the broker did not accept a CONNECT.
func (b *broker) refusal(connack *paho.Connack, err error) error {
	switch {
	case connack != nil && connack.ReasonCode == 0x84:
		return fmt.Errorf("the broker does not speak MQTT 5: %s", connackText(connack))
	case connack != nil && connack.ReasonCode >= reasonFailure:
		return fmt.Errorf("the broker refused the connection: %s", connackText(connack))
	case errors.Is(err, errNotMQTT5), errors.Is(err, errNotMQTT):
		return err
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer to CONNECT within %v: %s", b.DialTimeout, b.question())
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the broker closed the connection instead of answering CONNECT: %s", b.question())
	default:
		return fmt.Errorf("waiting for an answer to CONNECT: %w: %s", err, b.question())
	}
}

// question is what to look at when a broker does not answer CONNECT. With TLS 1.3 a refused
// client certificate shows only then.
func (b *broker) question() string {
	if b.TLS != nil {
		return "does it speak MQTT 5, and does it want a client certificate, or another one?"
	}
	return "does it speak MQTT 5, and does it expect TLS (mqtts://)?"
}

func connackText(connack *paho.Connack) string {
	return reasonText(connack.ReasonCode, connack.Properties.ReasonString)
}

// disconnected is a DISCONNECT from the broker.
type disconnected struct {
	reason byte
	words  string
}

func newDisconnected(d *paho.Disconnect) *disconnected {
	e := &disconnected{reason: d.ReasonCode}
	if d.Properties != nil {
		e.words = d.Properties.ReasonString
	}
	return e
}

func (d *disconnected) Error() string {
	text := "the broker ended the connection: " + reasonText(d.reason, d.words)
	if d.reason == reasonSessionTakenOver {
		text += ": another client uses the same client id, give each gateway its own"
	}
	return text
}

// verdict picks the better of two reasons why a connection ended: what paho says, and what the
// connection saw first.
func verdict(told, seen error) error {
	switch d := new(disconnected); {
	case errors.As(told, &d) || seen == nil || errors.Is(seen, errConnClosed):
		return told
	case errors.Is(seen, io.EOF):
		return errors.New("the broker closed the connection without a reason: if that repeats, another client may be using the same client id")
	case errors.Is(seen, syscall.ETIMEDOUT):
		return fmt.Errorf("the broker is not there any more, or took nothing for %v: %w", stall, seen)
	default:
		return seen
	}
}
