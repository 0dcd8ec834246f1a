package main

import (
	"strings"

	"github.com/flowsync-go/flowsync/bench/load"
)

// targetOPCUA is what is asked of an OPC UA server.
func (c *loadCommand) targetOPCUA(j *judge, payload int) load.Target {
	sessions := j.count("opcua-sessions", c.OPCUASessions, 1, 1000)
	j.notFor("http://", "body", c.Body)
	j.notFor("http://", "header", strings.Join(c.Header, ""))
	j.notFor("http://", "http-token-file", c.HTTPTokenFile)
	j.notFor("http://", "ca", c.CA)
	j.together("opcua-user", c.OPCUAUser, "opcua-password-file", c.OPCUAPasswordFile)
	j.together("opcua-cert", c.OPCUACert, "opcua-key", c.OPCUAKey)
	if len(j.faults) > 0 {
		return nil
	}
	t, err := load.NewOPCUA(load.OPCUAOptions{
		Endpoint: c.URL, Object: c.OPCUAObject, Method: c.OPCUAMethod, Variable: c.OPCUAVariable,
		Payload: payload, Expect: c.Expect, Sessions: int(sessions),
		User: c.OPCUAUser, PasswordFile: c.OPCUAPasswordFile,
		Policy: c.OPCUAPolicy, Mode: c.OPCUAMode, CertificateFile: c.OPCUACert, KeyFile: c.OPCUAKey,
	})
	j.addFaults(err)
	return t
}
