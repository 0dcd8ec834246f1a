package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/bench/load"
)

// loadSettings is what load is told, judged.
type loadSettings struct {
	workload load.Workload
	p99      time.Duration // 0: one run, no search
}

// settings judges all flags. The error lists everything that is wrong.
func (c *loadCommand) settings() (*loadSettings, error) {
	var j judge
	s := &loadSettings{workload: load.Workload{
		Rate:     j.rate("rate", c.Rate),
		Lanes:    int(j.count("connections", c.Connections, 1, load.MaxLanes)),
		Duration: j.duration("duration", c.Duration, load.MinDuration, load.MaxDuration),
		WarmUp:   j.duration("warm-up", c.WarmUp, 0, load.MaxDuration),
		Ramp:     j.duration("ramp", c.Ramp, 0, load.MaxDuration),
		Timeout:  j.duration("timeout", c.Timeout, time.Millisecond, load.MaxTimeout),
	}}
	w := &s.workload
	if c.FindCapacity {
		s.p99 = j.duration("p99", c.P99, time.Microsecond, load.MaxTimeout)
	}
	known := len(j.faults) == 0 // a value that is wrong is 0 here
	if known && w.Rate == 0 && (w.Ramp > 0 || c.FindCapacity) {
		j.fault("rate", c.Rate, "--ramp and --find-capacity need a rate: give one above 0")
	}
	if known && w.Rate > 0 && w.Rate*w.Duration.Seconds() < 1 {
		j.fault("rate", c.Rate, "%s a second for %v: not one request would start", c.Rate, w.Duration)
	}
	if c.JSON != "" && c.JSON == c.Plot {
		j.fault("plot", c.Plot, "%s is where --json goes: give another file", c.Plot)
	}
	w.Target = c.target(&j)
	return s, j.err()
}

func (j *judge) rate(flag, text string) float64 {
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || !(rate >= 0 && rate <= load.MaxRate) {
		j.fault(flag, text, "%q is not a number of requests a second, from 0 (a closed loop) to %.0f", text, load.MaxRate)
		return 0
	}
	return rate
}

// target is what the URL and the flags of its protocol say.
func (c *loadCommand) target(j *judge) load.Target {
	payload := int(j.size("payload", c.Payload, load.MinPayload, load.MaxPayload))
	if payload == 0 {
		return nil
	}
	scheme, _, _ := strings.Cut(c.URL, "://")
	if strings.EqualFold(scheme, "opc.tcp") {
		return c.targetOPCUA(j, payload)
	}
	for _, flag := range [][2]string{
		{"opcua-method", c.OPCUAMethod}, {"opcua-object", c.OPCUAObject}, {"opcua-variable", c.OPCUAVariable},
		{"opcua-user", c.OPCUAUser}, {"opcua-password-file", c.OPCUAPasswordFile}, {"opcua-policy", c.OPCUAPolicy},
		{"opcua-mode", c.OPCUAMode}, {"opcua-cert", c.OPCUACert}, {"opcua-key", c.OPCUAKey},
	} {
		j.notFor("opc.tcp://", flag[0], flag[1])
	}
	header := c.header(j)
	t, err := load.NewHTTP(load.HTTPOptions{
		URL: c.URL, Method: c.Method, Body: c.Body, Payload: payload, Expect: c.Expect,
		Header: header, TLS: j.trust("ca", c.CA),
	})
	j.addFaults(err)
	return t
}

// header is what is sent beside what the protocol needs.
func (c *loadCommand) header(j *judge) http.Header {
	header := http.Header{}
	for _, text := range c.Header {
		name, value, ok := strings.Cut(text, ":")
		if !ok {
			j.fault("header", text, "%q is not a field: write NAME:VALUE", text)
			continue
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if token := j.secretFile("http-token-file", c.HTTPTokenFile); c.HTTPTokenFile != "" {
		header.Set("Authorization", "Bearer "+token.reveal())
	}
	return header
}

// trust reads certificates to trust; no file: those of the system.
func (j *judge) trust(flag, path string) *tls.Config {
	if path == "" {
		return nil
	}
	text, err := os.ReadFile(path)
	pool := x509.NewCertPool()
	if err == nil && !pool.AppendCertsFromPEM(text) {
		err = fmt.Errorf("%s has no certificate in PEM", path)
	}
	if err != nil {
		j.fault(flag, path, "%v", err)
		return nil
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

// notFor is the fault of a flag that would have no effect.
func (j *judge) notFor(scheme, flag, value string) {
	if value != "" {
		j.fault(flag, value, "is for %s URLs", scheme)
	}
}

// addFaults takes the faults of a target apart, which are joined.
func (j *judge) addFaults(err error) {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
	case errors.As(err, &joined):
		for _, one := range joined.Unwrap() {
			j.addFaults(one)
		}
	default:
		j.faults = append(j.faults, err.Error())
	}
}
