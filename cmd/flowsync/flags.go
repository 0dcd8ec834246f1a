package main

// runFlags are the flags of run, as text: settings.go judges them.
type runFlags struct {
	httpFlags   `group:"HTTP"`
	opcuaFlags  `group:"OPC UA"`
	accessFlags `group:"Access"`
	brokerFlags `group:"Broker"`
	limitFlags  `group:"Limits"`
	fileFlags   `group:"Files"`
	logFlags    `group:"Operation"`
}

type httpFlags struct {
	HTTP            string   `name:"http" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where to listen for HTTP requests, host:port; port 0 takes a free one. Opened only if a file has an HTTP server."`
	HTTPPrefix      string   `name:"http-prefix" default:"/data" placeholder:"PATH" help:"What stands before the basePath of every HTTP server of the files; / for nothing."`
	HTTPCert        string   `name:"http-cert" placeholder:"FILE" help:"Certificate chain (PEM): serve HTTPS. With --http-key."`
	HTTPKey         string   `name:"http-key" placeholder:"FILE" help:"Private key of --http-cert (PEM)."`
	HTTPAllowOrigin []string `name:"http-allow-origin" placeholder:"ORIGIN" help:"Web pages of this origin may send requests too, such as https://plant.example; * for all. Repeatable."`
	HTTPTokenFile   string   `name:"http-token-file" placeholder:"FILE" help:"Every request must carry the token in this file as Authorization: Bearer."`
}

type opcuaFlags struct {
	OPCUA          string `name:"opcua" placeholder:"ADDR" help:"Where to listen for OPC UA clients, host:port; port 0 takes a free one. Opened only if a file has an OPC UA server. Otherwise 127.0.0.1 and the port in the file, which is 4841 if it gives none."`
	OPCUAUsersFile string `name:"opcua-users-file" placeholder:"FILE" help:"Users that OPC UA clients may log in as, a line each: name:password."`
}

type accessFlags struct {
	Admin    string `name:"admin" default:"127.0.0.1:9090" placeholder:"ADDR" help:"Where /healthz, /readyz, /metrics and a page with counters are served. It has no login."`
	Insecure bool   `name:"insecure" help:"Allow to listen beyond this machine without authentication."`
}

type brokerFlags struct {
	Broker             *string `name:"broker" placeholder:"URL" help:"The MQTT 5 broker: mqtt://host:1883 or mqtts://host:8883. Without it a broker runs inside the process."`
	BrokerUser         string  `name:"broker-user" placeholder:"NAME" help:"User name at the broker. The password comes from --broker-password-file or from FLOWSYNC_BROKER_PASSWORD."`
	BrokerPasswordFile string  `name:"broker-password-file" placeholder:"FILE" help:"File whose first line is the password at the broker."`
	BrokerCA           string  `name:"broker-ca" placeholder:"FILE" help:"Certificates (PEM) to trust for mqtts:// instead of the system's."`
	BrokerCert         string  `name:"broker-cert" placeholder:"FILE" help:"Client certificate (PEM) for mqtts://. With --broker-key."`
	BrokerKey          string  `name:"broker-key" placeholder:"FILE" help:"Private key of --broker-cert (PEM)."`
	MQTTClientID       string  `name:"mqtt-client-id" placeholder:"ID" help:"Client id at the broker, one for each gateway. Otherwise flowsync-<host>-<random>."`
	MQTTKeepAlive      string  `name:"mqtt-keep-alive" default:"30s" placeholder:"DURATION" help:"The longest silence before the connection is probed, 1s to 65535s."`
	MQTTConnections    string  `name:"mqtt-connections" default:"1" placeholder:"N" help:"Connections that publish, 1 to 16."`
	MQTTMaxPacket      string  `name:"mqtt-max-packet" default:"1MiB" placeholder:"SIZE" help:"The largest packet that is accepted, 1KiB to 256MiB."`
	NoShare            bool    `name:"no-share" help:"Mappings subscribe plainly, not through a shared subscription: every gateway with these files answers."`
	Embedded           string  `name:"embedded" placeholder:"ADDR" help:"Where the broker inside the process listens, when there is no --broker. Otherwise 127.0.0.1:1883, or the next free port."`
}

type limitFlags struct {
	MaxInFlight  string `name:"max-in-flight" default:"100000" placeholder:"N" help:"Requests held at a time, 1 to 16777215; more are refused (shed)."`
	MaxHeldBytes string `name:"max-held-bytes" default:"1GiB" placeholder:"SIZE" help:"Bytes of request values held at a time; more are refused (shed)."`
	Drain        string `name:"drain" default:"10s" placeholder:"DURATION" help:"How long held requests may still be answered after SIGTERM or SIGINT, 0s to 1h. A second signal ends at once."`
}

type fileFlags struct {
	modelFlags
	State string `name:"state" placeholder:"DIR" help:"Folder for what must outlive the process. In DIR/pki: the certificate of the OPC UA server, and which client certificates it trusts; needed for OPC UA, unless its only mode is None. In DIR/keys.db: idempotency keys, which are lost with the process otherwise."`
}

// modelFlags say how files are read; check has them too.
type modelFlags struct {
	Param     []string `name:"param" sep:"none" env:"-" placeholder:"NAME=VALUE" help:"Value of a parameter, in every file that declares it. Repeatable. FLOWSYNC_PARAM holds one a line."`
	ServiceID string   `name:"service-id" placeholder:"ID" help:"The service id in topics, instead of the file's metadata.name. With one file only."`
	Lenient   bool     `name:"lenient" help:"Resources of unknown types are warnings, not errors."`
}

type logFlags struct {
	LogFormat       string `name:"log-format" default:"auto" placeholder:"FORMAT" help:"text, json, or auto: text on a terminal, else JSON."`
	LogLevel        string `name:"log-level" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogTransactions string `name:"log-transactions" default:"failed" placeholder:"WHICH" help:"Which requests have a line in the log, at most ten a second for each node and outcome: none, failed, or all, which needs --log-level debug."`
}
