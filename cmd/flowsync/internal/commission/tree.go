package commission

import (
	"slices"
	"strings"

	"github.com/flowsync-go/flowsync/transport/opcua"
)

// maxTree bounds how deep the nodes of an OPC UA server stand below each other. How many there
// are is bounded by what a file may grow to.
const maxTree = 64

// branch is an OPC UA server or one of its nodes, as a place that nodes may grow from.
type branch struct {
	id         string
	server     *OPCUAServer // or
	node       *OPCUANode
	enabled    bool
	pos        Position
	properties *object // of a node

	parent *branch // nil: a server, or there is none, which is reported
	walked bool    // growth has seen it
	depth  int     // of the root: 1; of a server, and of what leads to none: 0
	served bool    // it and all above it are enabled
}

// plant makes trees of the OPC UA nodes. It is called when all of a file are read, since a child
// may stand before its parent.
func (s *service) plant() {
	roots := map[*branch][]*branch{} // of each server
	lost := false                    // a node whose parent is wrong: it may be the root
	for _, id := range s.order[opcuaNodeType] {
		b := s.branches[id]
		b.parent = find(s, b.properties, "parent", opcuaServerType+" or a "+opcuaNodeType, s.branches)
		lost = lost || b.parent == nil
	}
	for _, id := range s.order[opcuaNodeType] {
		b := s.branches[id]
		s.grow(b)
		if b.depth == 1 {
			roots[b.parent] = append(roots[b.parent], b)
		}
		if b.served && b.depth > 1 && b.parent.node.Class == opcua.Object {
			b.parent.node.Children = append(b.parent.node.Children, b.node)
		}
		lost = lost || b.depth == 0
	}
	if s.OPCUAServer == nil {
		return
	}
	server := s.branches[s.OPCUAServer.ID]
	s.root(server, roots[server], lost)
	if root := s.OPCUAServer.Root; root != nil {
		s.checkTree(root)
	}
}

// grow finds out how deep a node stands, and reports what is wrong with its parent and those
// above it that are not known yet.
func (s *service) grow(b *branch) {
	var way []*branch // from b upwards
	on := map[*branch]bool{}
	at := b
	for ; at != nil && at.node != nil && !at.walked && !on[at]; at = at.parent {
		on[at] = true
		way = append(way, at)
	}
	if on[at] {
		s.ring(at)
	}
	for _, at := range slices.Backward(way) {
		at.walked = true
		if at.parent != nil {
			s.place(at, at.parent)
		}
	}
}

// place takes down how deep a node stands below a parent that is placed already.
func (s *service) place(b, up *branch) {
	at := b.properties.place("parent")
	switch {
	case up.server != nil:
		b.depth, b.served = 1, b.enabled && up.enabled
		return
	case up.node.Class == opcua.Variable || up.node.Class == opcua.Method:
		s.errorf(at, "parent of %s is %s, which is a %s: only an Object has nodes below it", b.properties.what, clip(up.id), classNames[up.node.Class])
	}
	if up.depth == 0 {
		return // what it stands below is wrong
	}
	b.depth = up.depth + 1
	b.served = b.enabled && up.served && b.depth <= maxTree
	if b.depth == maxTree+1 {
		s.errorf(at, "%s stands more than %d nodes deep", b.properties.what, maxTree)
	}
	if b.enabled && !up.enabled {
		s.noticef(at, "disabled parent "+up.id, "%s is not served, as its parent %s is disabled; nor is anything else below that", b.properties.what, clip(up.id))
	}
}

var classNames = map[opcua.Class]string{opcua.Object: "Object", opcua.Variable: "Variable", opcua.Method: "Method"}

// ring reports nodes that are each other's parents.
func (s *service) ring(start *branch) {
	names := []string{clip(start.id)}
	for at := start.parent; at != start; at = at.parent {
		if len(names) == 8 {
			names = append(names, "…")
			break
		}
		names = append(names, clip(at.id))
	}
	s.errorf(start.properties.place("parent"), "the parent of %s leads back to it: %s → %s: one of them must have the server as its parent", start.properties.what, strings.Join(names, " → "), names[0])
}

// root gives a server its one root.
func (s *service) root(server *branch, roots []*branch, lost bool) {
	var first *branch
	for _, b := range roots {
		switch {
		case !b.enabled:
		case first == nil:
			first = b
			server.server.Root = b.node
		default:
			s.errorf(b.properties.place("parent"), "%s is a second root of %s, and there is one only: the first is %s at %s; give it that or an Object below it as its parent", b.properties.what, clip(server.id), clip(first.id), first.pos)
		}
	}
	switch {
	case first != nil || lost && len(roots) == 0:
	case len(roots) > 0:
		s.errorf(server.pos, "the root of %s, %s at %s, is disabled, so there is nothing to serve: disable %s too", clip(server.id), clip(roots[0].id), roots[0].pos, clip(server.id))
	default:
		s.errorf(server.pos, "%s has no root: one Cybus::Node::Opcua must have it as its parent, and all others stand below that one", clip(server.id))
	}
}

// checkTree gives the nodes that have no node id one, and finds names and ids that stand twice.
func (s *service) checkTree(root *OPCUANode) {
	ids := map[string]*OPCUANode{}
	var check func(n *OPCUANode, path string)
	check = func(n *OPCUANode, path string) { // recurses as deep as maxTree allows
		path += n.BrowseName
		s.checkID(n, path, ids)
		names := map[string]*OPCUANode{}
		for _, child := range n.Children {
			if first := names[child.BrowseName]; first != nil && child.BrowseName != "" {
				s.errorf(child.Pos, "%s has the browseName %q below %s, as %s at %s has already", clip(child.ID), clip(child.BrowseName), clip(n.ID), clip(first.ID), first.Pos)
			} else {
				names[child.BrowseName] = child
			}
			check(child, path+".")
		}
	}
	check(root, "")
	root.EachNode(func(n *OPCUANode) { s.checkArguments(n, ids) })
}

// checkArguments finds ids that the server makes for the descriptions of arguments.
func (s *service) checkArguments(method *OPCUANode, ids map[string]*OPCUANode) {
	_, id, _ := strings.Cut(method.NodeID, "=") // behind ns
	_, id, _ = strings.Cut(id, "=")
	for name, arguments := range map[string][]opcua.Argument{"InputArguments": method.Inputs, "OutputArguments": method.Outputs} {
		made := ownNamespace + "s=" + id + "." + name
		if other := ids[made]; other != nil && len(arguments) > 0 {
			s.errorf(other.Pos, "%s has the node id %q, which is that of the %s of %s: give it another nodeId", clip(other.ID), clip(made), name, clip(method.ID))
		}
	}
}

// checkID makes the node id of the browse names from the root down if the file gives none.
func (s *service) checkID(n *OPCUANode, path string, ids map[string]*OPCUANode) {
	made := n.NodeID == ""
	switch {
	case n.BrowseName == "" && made || made && s.properties[n.ID].has("nodeId"):
		return // reported
	case made && len(path) > maxNodeID:
		s.errorf(n.Pos, "the node id of %s, made of the browse names above it, is longer than %d bytes: give it a nodeId", clip(n.ID), maxNodeID)
		return
	case made:
		n.NodeID = ownNamespace + "s=" + path
	}
	if first := ids[n.NodeID]; first != nil {
		how := ""
		if made {
			how = ", which is made of its browse names"
		}
		s.errorf(n.Pos, "%s has the node id %q%s, and %s at %s has it already: give one of them another nodeId", clip(n.ID), clip(n.NodeID), how, clip(first.ID), first.Pos)
		return
	}
	ids[n.NodeID] = n
}
