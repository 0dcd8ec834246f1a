package main

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/logging"
)

// settings are the options of run, judged. Addresses to listen on are host:port.
type settings struct {
	model modelSettings

	http       string
	httpPrefix string // "" or /…, without a slash at its end
	httpCert   string // file; with httpKey or neither
	httpKey    string
	origins    []string
	token      secret // the zero value: none is asked for
	tokenFile  string // where it comes from
	opcua      string // empty: not given
	users      users
	usersFile  string // where they come from
	admin      string
	insecure   bool

	broker   brokerSettings
	embedded string // empty: not given

	maxInFlight  int
	maxHeldBytes int64
	drain        time.Duration
	state        string // empty: none

	logFormat       logging.Format
	logLevel        string
	logTransactions logging.Transactions
}

// modelSettings say how commissioning files are read.
type modelSettings struct {
	params    map[string]string
	serviceID string
	lenient   bool
}

// brokerSettings say how to reach a broker outside the process.
type brokerSettings struct {
	url         string // empty: the broker inside the process
	user        string
	password    secret
	ca          string // files
	cert        string
	key         string
	clientID    string
	keepAlive   time.Duration
	connections int
	maxPacket   int
	noShare     bool
}

// The bounds of what may be set.
const (
	maxKeepAlive    = 65535 * time.Second
	maxConnections  = 16
	minPacket       = 1 << 10
	maxPacket       = 256 << 20
	mostInFlight    = 1<<24 - 1
	mostHeldBytes   = 1 << 40
	longestDrain    = time.Hour
	passwordEnvName = "FLOWSYNC_BROKER_PASSWORD"
	paramEnvName    = "FLOWSYNC_PARAM"
)

// settings judges the flags. The error is optionFaults with all that is wrong.
func (f *runFlags) settings(files int) (*settings, error) {
	var j judge
	s := &settings{
		model:           f.modelFlags.settings(&j, files),
		httpPrefix:      j.prefix("http-prefix", f.HTTPPrefix),
		httpCert:        f.HTTPCert,
		httpKey:         f.HTTPKey,
		origins:         f.HTTPAllowOrigin,
		token:           j.secretFile("http-token-file", f.HTTPTokenFile),
		tokenFile:       f.HTTPTokenFile,
		http:            j.address("http", f.HTTP),
		opcua:           j.optionalAddress("opcua", f.OPCUA),
		users:           j.usersFile("opcua-users-file", f.OPCUAUsersFile),
		usersFile:       f.OPCUAUsersFile,
		admin:           j.address("admin", f.Admin),
		insecure:        f.Insecure,
		broker:          f.brokerFlags.settings(&j),
		embedded:        j.optionalAddress("embedded", f.Embedded),
		maxInFlight:     int(j.count("max-in-flight", f.MaxInFlight, 1, mostInFlight)),
		maxHeldBytes:    j.size("max-held-bytes", f.MaxHeldBytes, 1, mostHeldBytes),
		drain:           j.duration("drain", f.Drain, 0, longestDrain),
		state:           f.State,
		logFormat:       logging.Format(j.oneOf("log-format", f.LogFormat, "auto", "text", "json")),
		logLevel:        j.oneOf("log-level", f.LogLevel, "debug", "info", "warn", "error"),
		logTransactions: logging.Transactions(j.oneOf("log-transactions", f.LogTransactions, "none", "failed", "all")),
	}
	j.together("http-cert", f.HTTPCert, "http-key", f.HTTPKey)
	for _, origin := range f.HTTPAllowOrigin {
		j.origin("http-allow-origin", origin)
	}
	if s.logTransactions == logging.All && s.logLevel != "debug" {
		j.fault("log-transactions", f.LogTransactions, "answered requests are written at debug: give --log-level debug too")
	}
	if f.brokerURL() != "" && f.Embedded != "" {
		j.fault("embedded", f.Embedded, "the broker inside the process runs only without --broker: give one of them")
	}
	s.exposure(&j, f.HTTPTokenFile != "")
	return s, j.err()
}

// exposure refuses to listen beyond this machine where nothing asks who calls, unless that was
// asked for.
func (s *settings) exposure(j *judge, token bool) {
	if s.insecure {
		return
	}
	if beyondLoopback(s.http) && !token {
		j.fault("http", s.http, "others can reach %s and nothing asks who they are: give --http-token-file, or --insecure if all who can reach it may send requests", s.http)
	}
	if beyondLoopback(s.admin) {
		j.fault("admin", s.admin, "others can reach %s and it has no login: listen on 127.0.0.1, or give --insecure if all who can reach it may read it", s.admin)
	}
	if beyondLoopback(s.embedded) && s.broker.url == "" {
		j.fault("embedded", s.embedded, "others can reach %s and the broker inside the process has no login: listen on 127.0.0.1, or give --insecure if all who can reach it may publish", s.embedded)
	}
}

func (f *modelFlags) settings(j *judge, files int) modelSettings {
	params := f.Param
	if text, ok := os.LookupEnv(paramEnvName); ok && len(params) == 0 {
		params = slices.Collect(lines(text))
	}
	if f.ServiceID != "" && files > 1 {
		j.fault("service-id", f.ServiceID, "there are %d files, and no two may have the same service id: leave it out", files)
	}
	return modelSettings{params: j.params("param", params), serviceID: f.ServiceID, lenient: f.Lenient}
}

func (f *brokerFlags) settings(j *judge) brokerSettings {
	s := brokerSettings{
		url:         f.brokerURL(),
		user:        f.BrokerUser,
		password:    j.secretFile("broker-password-file", f.BrokerPasswordFile),
		ca:          f.BrokerCA,
		cert:        f.BrokerCert,
		key:         f.BrokerKey,
		clientID:    f.MQTTClientID,
		keepAlive:   j.duration("mqtt-keep-alive", f.MQTTKeepAlive, time.Second, maxKeepAlive),
		connections: int(j.count("mqtt-connections", f.MQTTConnections, 1, maxConnections)),
		maxPacket:   int(j.size("mqtt-max-packet", f.MQTTMaxPacket, minPacket, maxPacket)),
		noShare:     f.NoShare,
	}
	if s.keepAlive%time.Second != 0 {
		j.fault("mqtt-keep-alive", f.MQTTKeepAlive, "MQTT counts it in whole seconds: give such as 30s")
	}
	if password, ok := os.LookupEnv(passwordEnvName); ok && password != "" {
		if f.BrokerPasswordFile != "" {
			j.fault("broker-password-file", f.BrokerPasswordFile, "%s is set too: give one of them", passwordEnvName)
		}
		s.password = secretOf(password)
	}
	j.together("broker-cert", f.BrokerCert, "broker-key", f.BrokerKey)
	if f.Broker != nil && *f.Broker == "" { // such as --broker "$BROKER" where BROKER is not set
		j.fault("broker", "", "is given, and empty: write the URL, or leave it out for the broker inside the process")
		return s
	}
	if f.Broker == nil {
		f.needBroker(j)
		return s
	}
	if scheme := j.broker("broker", *f.Broker); scheme == "mqtt" {
		for _, tls := range [][2]string{{"broker-ca", f.BrokerCA}, {"broker-cert", f.BrokerCert}, {"broker-key", f.BrokerKey}} {
			if tls[1] != "" {
				j.fault(tls[0], tls[1], "the connection is encrypted with mqtts:// only: change --broker, or leave this out")
			}
		}
	}
	return s
}

// brokerURL is the URL of the broker outside; empty: there is none.
func (f *brokerFlags) brokerURL() string {
	if f.Broker == nil {
		return ""
	}
	return *f.Broker
}

// needBroker refuses options that would silently do nothing without a broker outside. The
// password may be set for the whole environment; so may what has a default.
func (f *brokerFlags) needBroker(j *judge) {
	for _, o := range [][2]string{
		{"broker-user", f.BrokerUser}, {"broker-password-file", f.BrokerPasswordFile},
		{"broker-ca", f.BrokerCA}, {"broker-cert", f.BrokerCert}, {"broker-key", f.BrokerKey},
		{"mqtt-client-id", f.MQTTClientID},
	} {
		if o[1] != "" {
			j.fault(o[0], o[1], "there is no --broker that it could be for: give the URL, or leave this out")
		}
	}
}

func validPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// brokerURL reads the URL of a broker. Errors do not quote it: a password may be in it.
func brokerURL(text string) (*url.URL, error) {
	const want = "want mqtt://host:port or mqtts://host:port"
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("cannot be read, %s", want)
	}
	if _, has := u.User.Password(); has {
		return nil, fmt.Errorf("a password here shows in process lists: give it in --broker-password-file or %s", passwordEnvName)
	}
	switch {
	case u.Scheme != "mqtt" && u.Scheme != "mqtts":
		return nil, fmt.Errorf("begins with none of the schemes that are spoken, %s", want)
	case u.Hostname() == "":
		return nil, fmt.Errorf("has no host, %s", want)
	case u.Port() != "" && !validPort(u.Port()):
		return nil, fmt.Errorf("has the port %s, want 1 to 65535", u.Port())
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("has something behind the host, %s", want)
	}
	return u, nil
}
