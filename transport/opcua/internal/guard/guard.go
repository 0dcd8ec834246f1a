package guard

import "github.com/gopcua/opcua/ua"

// Limits of what is let through. The zero value of a field means its default.
type Limits struct {
	MaxArray  int // elements of one array; 65 535, which is also the most that arrays in Variants may have
	MaxString int // bytes of one String, ByteString or XmlElement; 1 MiB
	MaxDepth  int // nesting of Variants, DataValues, ExtensionObjects and DiagnosticInfos, and dimensions of an array; 16
}

// What decoding a body may keep: see the package doc.
const (
	budgetBase    = 1 << 20
	budgetPerByte = 16
)

// Guard is safe for use by many goroutines. It is immutable.
type Guard struct {
	limits     Limits
	services   map[uint32]*program // by type id in namespace 0
	structures map[uint32]*program // by type id in namespace 0; what ExtensionObjects may hold
	builtins   [lastBuiltin + 1]*program
}

// New compiles the lists of services and structures. It panics if one of them has a field that
// the guard cannot read, which only another version of the codec can bring about.
func New(limits Limits) *Guard {
	if limits.MaxArray <= 0 {
		limits.MaxArray = 65_535
	}
	if limits.MaxString <= 0 {
		limits.MaxString = 1 << 20
	}
	if limits.MaxDepth <= 0 {
		limits.MaxDepth = 16
	}
	c := make(compiler)
	g := &Guard{limits: limits, services: compileServices(c), structures: compileStructures(c)}
	for id, t := range builtinTypes() {
		g.builtins[id] = c.compile(t)
	}
	return g
}

// Request checks the body of a message: the type id of a service request and the request.
// After nil, ua.DecodeService of the same bytes neither fails nor panics nor loops, and keeps no more
// than the package doc says. Else the error is a *Refusal. It does not keep the body and takes time in
// proportion to its length; when it passes it does not allocate, except where an ExtensionObject
// has a type that is on no list.
func (g *Guard) Request(body []byte) error {
	w := walker{guard: g, rest: body, budget: budgetBase + budgetPerByte*len(body)}
	id, ok := w.expandedNodeID()
	if !ok {
		w.in("TypeId")
		return w.refusal(nil)
	}
	request := w.rest
	service := g.service(id)
	if service == nil {
		w.fail(ua.StatusBadServiceUnsupported, "no such service is offered (%s)", id)
	} else if w.walk(service) && w.end() {
		return nil
	}
	refusal := w.refusal(service)
	refusal.Handle = g.handle(request)
	return refusal
}

// service is nil for what is not offered. The codec looks at the number only, and would take one
// with a namespace URI for a service.
func (g *Guard) service(id identifier) *program {
	if !id.standard {
		return nil
	}
	return g.services[id.number]
}

// handle reads the request handle, with which all requests begin after their authentication
// token and time. It is 0 if they do not.
func (g *Guard) handle(request []byte) uint32 {
	w := walker{guard: g, rest: request, budget: budgetBase}
	if _, ok := w.nodeID(false); !ok || !w.skip(8) {
		return 0
	}
	handle, _ := w.uint32()
	return handle
}
