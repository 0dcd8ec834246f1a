package service

import (
	"encoding/binary"

	"github.com/gopcua/opcua/ua"
)

// continuations are the places where the browsing of a session goes on. The zero value has none.
type continuations struct {
	last uint64
	list []continuation // the oldest first
}

// continuation is one of them. As references do not change, a description and a position are
// enough.
type continuation struct {
	id          uint64
	description ua.BrowseDescription
	from, limit int
}

// add keeps a continuation and returns its name; nil: there are too many.
func (c *continuations) add(next continuation) []byte {
	if len(c.list) >= MaxContinuations {
		return nil
	}
	c.last++
	next.id = c.last
	c.list = append(c.list, next)
	return binary.LittleEndian.AppendUint64(nil, next.id)
}

// take returns the continuation of a name and forgets it.
func (c *continuations) take(name []byte) (continuation, bool) {
	if len(name) != 8 {
		return continuation{}, false
	}
	id := binary.LittleEndian.Uint64(name)
	for i, one := range c.list {
		if one.id == id {
			c.list = append(c.list[:i:i], c.list[i+1:]...)
			return one, true
		}
	}
	return continuation{}, false
}

// browse carries out a Browse (OPC 10000-4, 5.9.2).
func (r *request) browse() {
	var v ua.BrowseRequest
	if !r.decode(&v) || !r.many(len(v.NodesToBrowse), MaxBrowse) {
		return
	}
	if !isNull(v.View.ViewID) {
		r.fault(ua.StatusBadViewIDUnknown)
		return
	}
	limit := MaxReferences
	if asked := v.RequestedMaxReferencesPerNode; asked > 0 {
		limit = int(min(asked, MaxReferences))
	}
	results, room := make([]*ua.BrowseResult, len(v.NodesToBrowse)), MaxReferences
	for i, d := range v.NodesToBrowse {
		results[i] = r.browseFrom(continuation{description: *d, limit: limit}, &room)
	}
	r.respond(&ua.BrowseResponse{Results: results})
}

// browseFrom gives what comes next of one node, and takes it from the room that the response has.
func (r *request) browseFrom(at continuation, room *int) *ua.BrowseResult {
	found, next, status := r.service.options.Space.BrowseFrom(&at.description, at.from, max(1, min(at.limit, *room)))
	*room -= len(found)
	result := &ua.BrowseResult{StatusCode: status, References: found}
	if status != ua.StatusOK || next == 0 {
		return result
	}
	at.from = next
	at.description.NodeID = r.service.options.Space.Find(at.description.NodeID).ID // not that of the request
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	if result.ContinuationPoint = r.client.continuations.add(at); result.ContinuationPoint == nil {
		return &ua.BrowseResult{StatusCode: ua.StatusBadNoContinuationPoints}
	}
	return result
}

// browseNext carries out a BrowseNext (5.9.3).
func (r *request) browseNext() {
	var v ua.BrowseNextRequest
	if !r.decode(&v) || !r.many(len(v.ContinuationPoints), MaxBrowse) {
		return
	}
	results, room := make([]*ua.BrowseResult, len(v.ContinuationPoints)), MaxReferences
	for i, name := range v.ContinuationPoints {
		r.client.mu.Lock()
		at, ok := r.client.continuations.take(name)
		r.client.mu.Unlock()
		switch {
		case !ok:
			results[i] = &ua.BrowseResult{StatusCode: ua.StatusBadContinuationPointInvalid}
		case v.ReleaseContinuationPoints:
			results[i] = &ua.BrowseResult{}
		default:
			results[i] = r.browseFrom(at, &room)
		}
	}
	r.respond(&ua.BrowseNextResponse{Results: results})
}

// translate carries out a TranslateBrowsePathsToNodeIds (5.9.4).
func (r *request) translate() {
	var v ua.TranslateBrowsePathsToNodeIDsRequest
	if !r.decode(&v) || !r.many(len(v.BrowsePaths), MaxTranslate) {
		return
	}
	results := make([]*ua.BrowsePathResult, len(v.BrowsePaths))
	for i, path := range v.BrowsePaths {
		results[i] = r.service.options.Space.Translate(path)
	}
	r.respond(&ua.TranslateBrowsePathsToNodeIDsResponse{Results: results})
}

// registerNodes carries out a RegisterNodes (5.9.5): node ids here are as quick as they can be, so
// each is its own alias.
func (r *request) registerNodes() {
	var v ua.RegisterNodesRequest
	if !r.decode(&v) || !r.many(len(v.NodesToRegister), MaxRegister) {
		return
	}
	r.respond(&ua.RegisterNodesResponse{RegisteredNodeIDs: v.NodesToRegister})
}

// unregisterNodes carries out an UnregisterNodes (5.9.6).
func (r *request) unregisterNodes() {
	var v ua.UnregisterNodesRequest
	if !r.decode(&v) || !r.many(len(v.NodesToUnregister), MaxRegister) {
		return
	}
	r.respond(&ua.UnregisterNodesResponse{})
}

// isNull says whether a node id is the null id.
func isNull(id *ua.NodeID) bool {
	switch id.Type() {
	case ua.NodeIDTypeTwoByte, ua.NodeIDTypeFourByte, ua.NodeIDTypeNumeric:
		return id.Namespace() == 0 && id.IntID() == 0
	}
	return false
}
