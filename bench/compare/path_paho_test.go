package compare

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"

	"github.com/flowsync-go/flowsync/bench"
)

// What it costs to get rid of a request with the project's bus, and with paho's Publish.
func BenchmarkPublisher(b *testing.B) {
	var workloads []bench.Workload
	var relations []bench.Relation
	for _, ours := range bench.Buses([]int{1}, []int{200, 4 << 10, 64 << 10}, []int{0, 1}) {
		theirs := ours
		ours.Name = "what=flowsync/" + strings.TrimPrefix(ours.Name, "connections=1/")
		theirs.Name = "what=paho/" + strings.TrimPrefix(theirs.Name, "connections=1/")
		theirs.Dial = dialPaho
		workloads = append(workloads, theirs, ours)
		relations = append(relations, bench.Relation{Metric: "cpu-of-paho", Of: ours.Name, Over: theirs.Name, Figure: bench.CPU})
	}
	bench.Compare(b, relations, workloads...)
}

// pahoPublisher publishes with a client of paho's, on a plain connection.
type pahoPublisher struct {
	client *paho.Client
	conn   *countingConn
	qos    byte
	value  []byte
}

func dialPaho(address string, p bench.Publishing) (bench.Publisher, error) {
	raw, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	conn := &countingConn{Conn: raw}
	client := paho.NewClient(paho.ClientConfig{Conn: packets.NewThreadSafeConn(conn)})
	ctx, cancel := context.WithTimeout(context.Background(), bench.Patience)
	defer cancel()
	if _, err := client.Connect(ctx, &paho.Connect{ClientID: "paho", KeepAlive: 30, CleanStart: true}); err != nil {
		return nil, err
	}
	return &pahoPublisher{client, conn, byte(p.QoS), p.Value()}, nil
}

// Publish implements [bench.Publisher]. With QoS 1 it waits for the acknowledgement.
func (p *pahoPublisher) Publish() (bool, error) {
	message := &paho.Publish{
		QoS: p.qos, Topic: bench.EchoTopic + "/treq", Payload: p.value,
		Properties: &paho.PublishProperties{
			ResponseTopic: bench.EchoTopic + "/tres", CorrelationData: []byte("0123456789abcdef"), ContentType: "application/json",
			User: paho.UserProperties{{Key: "http-method", Value: "POST"}, {Key: "http-path", Value: bench.Echo}},
		},
	}
	_, err := p.client.Publish(context.Background(), message)
	return err == nil, err
}

// Written implements [bench.Publisher].
func (p *pahoPublisher) Written() (bytes, writes uint64) {
	return p.conn.bytes.Load(), p.conn.writes.Load()
}

// Close implements [bench.Publisher].
func (p *pahoPublisher) Close() error {
	err := p.client.Disconnect(&paho.Disconnect{})
	<-p.client.Done()
	return err
}

// countingConn counts what is written.
type countingConn struct {
	net.Conn
	bytes, writes atomic.Uint64
}

// Write implements [net.Conn].
func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.bytes.Add(uint64(n))
	c.writes.Add(1)
	return n, err
}
