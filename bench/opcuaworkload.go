package bench

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// Request is what is asked of a server of OPC UA.
type Request int

// The requests, of one operation each.
const (
	Call Request = iota
	Write
)

// OPCUA is what is asked of a server of OPC UA over one session, and how.
type OPCUA struct {
	Name     string // in tables
	Server   string // one of the Servers
	Security string // None, or the name of a policy, which goes with SignAndEncrypt
	Request  Request
	InFlight int           // requests at a time, each followed by another once it is answered
	Payload  int           // bytes of the text that is asked with; at least 16
	WarmUp   time.Duration // before the window
	Window   time.Duration
}

// CallRequest is a Call of [Method].
func CallRequest(text string) ua.Request {
	return &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{
		ObjectID: ua.NewStringNodeID(1, Root), MethodID: ua.NewStringNodeID(1, Method),
		InputArguments: []*ua.Variant{ua.MustVariant(text)},
	}}}
}

// WriteRequest is a Write of [Variable].
func WriteRequest(text string) ua.Request {
	return &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{
		NodeID: ua.NewStringNodeID(1, Variable), AttributeID: ua.AttributeIDValue,
		Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(text)},
	}}}
}

func (r Request) with(text string) ua.Request {
	if r == Write {
		return WriteRequest(text)
	}
	return CallRequest(text)
}
