package main

// loadFlags are the flags of load, as text: loadsettings.go judges them.
type loadFlags struct {
	offerFlags     `group:"Load"`
	askFlags       `group:"Requests"`
	askHTTPFlags   `group:"HTTP"`
	askOPCUAFlags  `group:"OPC UA"`
	reportingFlags `group:"Report"`
}

type offerFlags struct {
	Rate         string `name:"rate" default:"1000" placeholder:"N" help:"Requests to start a second, whether or not those before have been answered, up to 1000000. 0: a closed loop, in which each connection asks again once it was answered. With --find-capacity: where the search begins."`
	Connections  string `name:"connections" default:"256" placeholder:"N" help:"Requests in flight at most, 1 to 65000: no less than --rate times the time of an answer in seconds. Over HTTP each has a connection of its own, and a descriptor here and at the gateway."`
	Duration     string `name:"duration" default:"10s" placeholder:"TIME" help:"How long requests are counted, 10ms to 24h; with --find-capacity in each step."`
	WarmUp       string `name:"warm-up" default:"1s" placeholder:"TIME" help:"How long to ask at the full rate before requests are counted."`
	Ramp         string `name:"ramp" default:"0s" placeholder:"TIME" help:"How long the rate takes to rise from 0, before the warm-up."`
	FindCapacity bool   `name:"find-capacity" help:"Search the highest rate at which p99 is below --p99, nothing is lost, wrong or duplicate, 99 % are answered, and all are started: doubling, then halving the interval down to 5 %, at most 30 steps. A rate that fails is tried once more, twice if the generator was late."`
	P99          string `name:"p99" default:"50ms" placeholder:"TIME" help:"The bound for --find-capacity."`
}

type askFlags struct {
	Payload string `name:"payload" default:"64" placeholder:"SIZE" help:"Bytes of each request's value, 32 to 1MiB: over HTTP an object with the number of the request and padding."`
	Expect  string `name:"expect" default:"echo" placeholder:"WHAT" help:"What the answer is to be. echo: what was asked with (of a Method each input, in an output of its type, of its name if there is one; of a Variable that the Write is Good); any: any JSON, so that wrong answers cannot be told; or, over HTTP, a JSON text whose members the answer must have, such as '{\"order\":{seq}}', where {seq} is the number of the request, ten digits."`
	Timeout string `name:"timeout" default:"10s" placeholder:"TIME" help:"How long an answer is waited for, 1ms to 1h: then it is lost. Longer than the gateway's, whose own timeouts are outcomes."`
}

type askHTTPFlags struct {
	Method        string   `name:"method" default:"POST" placeholder:"NAME" help:"POST, PUT, PATCH, DELETE or GET."`
	Body          string   `name:"body" placeholder:"JSON" help:"Send this, with the number of the request for {seq}, such as '{\"order\":{seq}}'; instead of --payload. {seq} may stand in the URL too."`
	Header        []string `name:"header" sep:"none" env:"-" placeholder:"NAME:VALUE" help:"Send this field too. Repeatable."`
	HTTPTokenFile string   `name:"http-token-file" placeholder:"FILE" help:"Send the token in this file as Authorization: Bearer."`
	CA            string   `name:"ca" placeholder:"FILE" help:"Certificates (PEM) to trust for https:// instead of the system's."`
}

type askOPCUAFlags struct {
	OPCUAMethod       string `name:"opcua-method" placeholder:"NODEID" help:"Call this Method, such as 'ns=1;s=Press.MayStart'. Its scalar arguments carry the number of the request."`
	OPCUAObject       string `name:"opcua-object" placeholder:"NODEID" help:"The Object of the Method. Otherwise the Method's id up to its last dot."`
	OPCUAVariable     string `name:"opcua-variable" placeholder:"NODEID" help:"Write this Variable; instead of --opcua-method."`
	OPCUASessions     string `name:"opcua-sessions" default:"1" placeholder:"N" help:"Sessions over which requests in flight are spread, 1 to 1000, each on a connection of its own."`
	OPCUAUser         string `name:"opcua-user" placeholder:"NAME" help:"Log in as this user."`
	OPCUAPasswordFile string `name:"opcua-password-file" placeholder:"FILE" help:"File with the user's password."`
	OPCUAPolicy       string `name:"opcua-policy" placeholder:"NAME" help:"Basic256Sha256, Aes128_Sha256_RsaOaep or Aes256_Sha256_RsaPss, with --opcua-cert and --opcua-key. Otherwise None. The server's certificate is not verified."`
	OPCUAMode         string `name:"opcua-mode" placeholder:"NAME" help:"Sign or SignAndEncrypt, which is what a policy comes with otherwise."`
	OPCUACert         string `name:"opcua-cert" placeholder:"FILE" help:"Client certificate (DER or PEM), which the server must trust."`
	OPCUAKey          string `name:"opcua-key" placeholder:"FILE" help:"Private key of --opcua-cert (DER or PEM)."`
}

type reportingFlags struct {
	JSON string `name:"json" placeholder:"FILE" help:"Write the report as JSON too; - writes it to standard output instead of the text."`
	Plot string `name:"plot" placeholder:"FILE" help:"Draw an SVG: the latency by percentile, or with --find-capacity over the rate."`
}
