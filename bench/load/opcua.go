package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/rawclient"
)

// OPCUAOptions say what is asked of an OPC UA server, and who asks. Endpoint is required, and either
// Object and Method, or Variable.
type OPCUAOptions struct {
	// Endpoint is opc.tcp://host:port/path.
	Endpoint string
	// Object and Method are node ids, such as ns=1;s=Press and ns=1;s=Press.MayStart: each request is
	// a Call. Which arguments it takes is read from the server; they may be scalars of the types
	// String, Boolean, Float, Double and integers, and carry the number of the request. If Object is
	// empty, it is the Method's id without what follows its last dot.
	Object, Method string
	// Variable is a node id: each request is a Write of its value, which is of one of these types.
	Variable string
	// Payload is how many bytes the text of the first String has, MinPayload (also if it is 0) to
	// MaxPayload. Other Strings are as short as can be.
	Payload int
	// Expect is what a right answer is, beside Good. ExpectEcho (also if empty): for each input an
	// output of its name and type has the input's value, or, if there is none, the first output of its
	// type that is not another input's; at least one input must have one. ExpectAny: no matter what,
	// so that wrong answers cannot be told. The answer to a Write is Good, and has no value.
	Expect string
	// Sessions is how many sessions, each on a connection of its own, the lanes are spread over, 1 to
	// 1000; 0: 1.
	Sessions int

	// User logs in with a name; empty: nobody in particular. PasswordFile is the file with the
	// password, of which an end of line is cut off. Without a policy the password travels in clear.
	User, PasswordFile string
	// Policy is None, Basic256Sha256, Aes128_Sha256_RsaOaep or Aes256_Sha256_RsaPss; empty: None. Mode
	// is Sign or SignAndEncrypt; empty: SignAndEncrypt, if there is a policy. The server's certificate
	// is not verified: this measures, and tells the server nothing but made-up requests and a password.
	Policy, Mode string
	// CertificateFile and KeyFile are the client's, in DER or PEM; needed with a policy. The
	// certificate must have an application URI, and the server must trust it.
	CertificateFile, KeyFile string
}

// maxSessions bounds OPCUAOptions.Sessions.
const maxSessions = 1000

// OPCUA is a [Target] that is asked over OPC UA. Its lanes are places in flight on sessions. When a
// session is lost, what was in flight is lost with it; lanes then wait, until their deadlines, for
// the next one, which is tried for once a second at most.
//
// The outcome of a request that was not answered is the gateway's word, if the server says it in the
// diagnostic information of the result, as flowsync does, else the name of the status code.
type OPCUA struct {
	o        OPCUAOptions
	node     *ua.NodeID // the Method, or the Variable
	object   *ua.NodeID // nil: a Write
	identity opcuaIdentity
	spacing  time.Duration // of attempts to connect anew
	renewal  float64       // when a token is renewed, as a part of its lifetime
	learned  atomic.Pointer[opcuaPlan]
}

// NewOPCUA checks options and reads the files they name. It does not connect. The error lists all
// faults.
func NewOPCUA(o OPCUAOptions) (*OPCUA, error) {
	t := &OPCUA{o: o, spacing: time.Second, renewal: 0.75}
	t.o.Payload = cmp.Or(o.Payload, MinPayload)
	t.o.Sessions = cmp.Or(o.Sessions, 1)
	t.o.Expect = cmp.Or(o.Expect, ExpectEcho)
	err := errors.Join(t.checkNumbers(), t.checkNodes(), t.identify())
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (t *OPCUA) checkNumbers() error {
	var errs []error
	if u, err := url.Parse(t.o.Endpoint); err != nil || u.Scheme != "opc.tcp" || u.Port() == "" {
		errs = append(errs, fmt.Errorf("the endpoint %q, want opc.tcp://host:port/path", t.o.Endpoint))
	}
	if t.o.Payload < MinPayload || t.o.Payload > MaxPayload {
		errs = append(errs, fmt.Errorf("a payload of %d bytes, want %d to %d", t.o.Payload, MinPayload, MaxPayload))
	}
	if t.o.Sessions < 1 || t.o.Sessions > maxSessions {
		errs = append(errs, fmt.Errorf("%d sessions, want 1 to %d", t.o.Sessions, maxSessions))
	}
	if t.o.Expect != ExpectEcho && t.o.Expect != ExpectAny {
		errs = append(errs, fmt.Errorf("%q cannot be expected over OPC UA, want %s or %s", t.o.Expect, ExpectEcho, ExpectAny))
	}
	return errors.Join(errs...)
}

// checkNodes parses the node ids.
func (t *OPCUA) checkNodes() (err error) {
	switch {
	case t.o.Method == "" && t.o.Variable == "":
		return errors.New("neither a method nor a variable is given: what is to be asked?")
	case t.o.Variable != "" && (t.o.Method != "" || t.o.Object != ""):
		return errors.New("a method and a variable are given: a request is a Call or a Write")
	case t.o.Variable != "":
		t.node, err = parseNodeID("variable", t.o.Variable)
		return err
	}
	object := t.o.Object
	if object == "" {
		object = parentOf(t.o.Method)
	}
	var errObject error
	t.node, err = parseNodeID("method", t.o.Method)
	t.object, errObject = parseNodeID("object", object)
	return errors.Join(err, errObject)
}

// String names the target: URL, and what is asked there.
func (t *OPCUA) String() string {
	return t.o.Endpoint + " " + cmp.Or(t.o.Method, t.o.Variable)
}

// Describe implements [Describer], as far as the server has said what it takes.
func (t *OPCUA) Describe(r *Report) {
	r.Expectation = t.o.Expect
	if p := t.learned.Load(); p != nil {
		r.PayloadBytes, r.Checked = p.text, p.checked
	}
}

// opcuaTime is how long connecting, logging in and reading what there is may take.
const opcuaTime = 10 * time.Second

// Open implements [Target]. It reads from the server what kind of arguments there are.
func (t *OPCUA) Open(ctx context.Context, lanes int) ([]Lane, error) {
	if err := enoughDescriptors(min(lanes, t.o.Sessions)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, opcuaTime+time.Duration(lanes)*time.Millisecond, errors.New("it takes too long"))
	defer cancel()
	c, err := t.login(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be asked: %w", t, err)
	}
	p, err := t.plan(ctx, c)
	leave(c)
	if err != nil {
		return nil, err
	}
	t.learned.Store(p)
	return openOPCUA(ctx, t, p, lanes)
}

// Probe implements [Prober].
func (t *OPCUA) Probe(ctx context.Context, timeout time.Duration) error {
	lanes, err := t.Open(ctx, 1)
	if err != nil {
		return err
	}
	lane := lanes[0]
	stop := context.AfterFunc(ctx, func() { _ = lane.Close() }) // Ask says what became of it
	defer stop()
	v := lane.Ask(probeSeq, time.Now().Add(timeout))
	_ = lane.Close() // it has done what it was for
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case v.Outcome == Lost:
		return fmt.Errorf("%s: the first request was not answered: %w", t, v.Err)
	case v.Wrong:
		return fmt.Errorf("%s: the first answer is not what is expected: %w (the method is %s; %s would let this pass)", t, v.Err, lane.(*opcuaLane).session.plan, ExpectAny)
	case v.Outcome == Answered || outcomes[v.Outcome]:
		return nil
	case v.Err != nil:
		return fmt.Errorf("%s: the first request was refused: %w", t, v.Err)
	}
	return fmt.Errorf("%s: the first request was refused: %s", t, v.Outcome)
}

// login connects and logs in.
func (t *OPCUA) login(ctx context.Context, deliver func(rawclient.Response)) (*rawclient.Client, error) {
	id := &t.identity
	c, err := rawclient.Dial(ctx, rawclient.Options{
		Endpoint: t.o.Endpoint, Policy: id.policy, Mode: id.mode, Certificate: id.certificate, Key: id.key,
		ApplicationURI: cmp.Or(id.uri, "urn:flowsync:load"), Deliver: deliver, NoWait: true, Timeout: opcuaTime,
	})
	if err != nil {
		return nil, opcuaError{err}
	}
	if _, err := c.Login(ctx, id.who, time.Hour); err != nil {
		c.Abort()
		return nil, opcuaError{fmt.Errorf("logging in: %w", err)}
	}
	return c, nil
}

// opcuaError is an error of the client's for people to whom the client is a part of this program.
type opcuaError struct{ error }

func (e opcuaError) Error() string { return strings.ReplaceAll(e.error.Error(), "rawclient: ", "") }

func (e opcuaError) Unwrap() error { return e.error }

// leaveTime is how long saying goodbye may take.
const leaveTime = 250 * time.Millisecond

// leave closes session and connection. A server that does not listen is left without a word.
func leave(c *rawclient.Client) {
	_, _ = c.Send(&ua.CloseSessionRequest{DeleteSubscriptions: true}) // nobody waits for what it says
	stop := time.AfterFunc(leaveTime, c.Abort)
	defer stop.Stop()
	c.Close()
}
