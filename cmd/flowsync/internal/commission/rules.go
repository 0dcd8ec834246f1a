package commission

import (
	"github.com/flowsync-go/flowsync/cmd/flowsync/internal/rules"
)

// rules reads a list of rules, and compiles them to find what is wrong with them.
func (o *object) rules(name string, transaction bool) []rules.Spec {
	v := o.field(name)
	if v == nil {
		return nil
	}
	if v.kind != listKind {
		o.wrong(v, name, "a list of rules")
		return nil
	}
	var specs []rules.Spec
	places := map[string]Position{}
	for _, item := range v.items {
		if item.holdsBroken() {
			continue
		}
		if item.kind != mapKind || len(item.entries) != 1 {
			o.errorf(item.pos, "a rule of %s is a map with one name, such as transform: {expression: …}", o.what)
			continue
		}
		e := item.entries[0]
		places[e.pos.String()] = e.pos
		specs = append(specs, rules.Spec{Kind: e.key, Args: e.val.plain(), At: e.pos.String()})
	}
	_, problems := rules.Compile(specs, rules.CompileOptions{Transaction: transaction})
	for _, p := range problems {
		o.add(Problem{Pos: places[p.At], Text: p.Text, Hint: p.Hint})
	}
	return specs
}

// contextVars are the names that rules set with setContextVars.
func contextVars(specs []rules.Spec) []string {
	var names []string
	for _, spec := range specs {
		args, _ := spec.Args.(map[string]any)
		vars, _ := args["vars"].(map[string]any)
		if spec.Kind != "setContextVars" {
			continue
		}
		for name := range vars {
			names = append(names, name)
		}
	}
	return names
}
