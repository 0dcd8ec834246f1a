package responder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/flowsync-go/flowsync/transport/mqtt"
)

// passwordVariable holds the password at the broker, for the gateway too.
const passwordVariable = "FLOWSYNC_BROKER_PASSWORD"

// maxSecret bounds a password file, in bytes.
const maxSecret = 8 << 10

// broker reads the flags that say how to reach the broker. No error quotes the URL as a whole:
// a password may be in it.
func (c *Command) broker(o *Options, faults *faults) {
	const want = "write mqtt://host:port or mqtts://host:port"
	u, err := url.Parse(c.Broker)
	if err != nil {
		faults.add("broker", errors.New("it cannot be read, "+want))
		return
	}
	port := u.Port()
	switch u.Scheme {
	case "mqtt":
		if c.BrokerCA != "" || c.BrokerCert != "" || c.BrokerKey != "" {
			faults.add("broker", errors.New("certificates are for mqtts:// only"))
		}
		if port == "" {
			port = "1883"
		}
	case "mqtts":
		if port == "" {
			port = "8883"
		}
		o.TLS, err = mqtt.TLSFiles(c.BrokerCA, c.BrokerCert, c.BrokerKey)
		faults.add("broker-ca, --broker-cert, --broker-key", err)
	default:
		faults.add("broker", fmt.Errorf("it has the scheme %q, %s", u.Scheme, want))
	}
	if u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		faults.add("broker", errors.New("it has no host, or something behind it, "+want))
	}
	if _, has := u.User.Password(); has {
		faults.add("broker", fmt.Errorf("a password here shows in process lists: give it in --broker-password-file or %s", passwordVariable))
	}
	if o.Username == "" {
		o.Username = u.User.Username()
	}
	o.Address = net.JoinHostPort(u.Hostname(), port)
	o.Password, err = password(c.BrokerPasswordFile)
	faults.add("broker-password-file", err)
}

// password comes from the environment, or is the first line of a file.
func password(path string) (string, error) {
	if path == "" {
		return os.Getenv(passwordVariable), nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret))
	if err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
		return "", fmt.Errorf("%s has nothing in its first line: write the password there", path)
	}
	return string(line), nil
}
