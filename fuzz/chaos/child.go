//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/flowsync-go/flowsync/fuzz/chaos/responder"
)

// childEnv tells a process that it is a responder, with its options as JSON.
const childEnv = "FLOWSYNC_CHAOS_RESPONDER"

// connectedLine is what it prints each time it has subscribed.
const connectedLine = "connected"

// child are the options of a responder's process.
type child struct {
	Broker   string
	Clean    bool
	QoS      byte
	Deadline map[string]time.Duration
}

func (s *site) childOptions() string {
	c := child{Broker: s.responderTap.Addr(), QoS: 1, Deadline: make(map[string]time.Duration)}
	if s.o.Broker == embedded {
		// The tap cannot tell a message that the broker sends again from one that the gateway has
		// published twice: so it has none to send again.
		c.Clean, c.QoS = true, 0
	}
	for i := range nodes {
		c.Deadline[nodes[i].Topic(service)] = nodes[i].Timeout
	}
	text, _ := json.Marshal(c) // nothing in it can fail
	return string(text)
}

// respond is the process of a responder.
func respond(options string) error {
	var c child
	if err := json.Unmarshal([]byte(options), &c); err != nil {
		return fmt.Errorf("%s: %w", childEnv, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	responder.Run(ctx, responder.Options{
		Broker: c.Broker, ClientID: "chaos-responder", Clean: c.Clean, QoS: c.QoS, Deadline: c.Deadline,
		Filters: []string{"services/" + service + "/+/treq"},
		Logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}, func() { fmt.Println(connectedLine) })
	return nil
}
