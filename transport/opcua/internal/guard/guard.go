package guard

import "github.com/gopcua/opcua/ua"

// Limits of what is let through. The zero value of a field means its default.
type Limits struct {
	MaxArray  int // elements of one array; 65 535
	MaxString int // bytes of one String, ByteString or XmlElement; 1 MiB
	MaxDepth  int // nesting of Variants, ExtensionObjects, DiagnosticInfos; 16
}

// Guard is safe for use by many goroutines.
type Guard struct{}

// New compiles the list of services and types.
func New(limits Limits) *Guard { panic("not written") }

// Refusal is why a body is not decoded.
type Refusal struct {
	Status ua.StatusCode // for the ServiceFault: BadServiceUnsupported, BadDecodingError, BadEncodingLimitsExceeded
	// Handle is the request handle, if the request header could be read so far; else 0.
	Handle uint32
	Where  string // the path in the structure, such as CallRequest.MethodsToCall[3].InputArguments
	Reason string
}

func (r *Refusal) Error() string { panic("not written") }

// Request checks the body of a message: the type id of a service request and the request.
// After nil, ua.DecodeService of the same bytes neither panics nor loops nor allocates more than
// a small multiple of them. Else the error is a *Refusal. It does not allocate when it passes.
func (g *Guard) Request(body []byte) error { panic("not written") }
