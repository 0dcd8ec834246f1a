package commission

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Source is a file that was read: its name, as problems show it, and its bytes, which are read
// during [Load] only.
type Source struct {
	Name string
	Data []byte
}

// LoadOptions say how files are read.
type LoadOptions struct {
	// Params are values of parameters, as text. Each must be declared by at least one file.
	Params map[string]string
	// ServiceID is taken in place of metadata.name. With one file only: no two files may have
	// the same service id.
	ServiceID string
	// Lenient makes resources of unknown types a warning. Those of known types that are not
	// served stay errors.
	Lenient bool
	// MqttHost is what Cybus::MqttHost stands for. Empty: localhost.
	MqttHost string
}

// Load reads files and returns the model, or nil if there are errors, and everything that is
// wrong or doubtful, in the order of files and lines. It does not block and never panics.
func Load(files []Source, options LoadOptions) (*Model, []Problem) {
	l := &loader{report: &report{}, options: options, usedParams: map[string]bool{}}
	model := &Model{}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		if s := l.file(f); s != nil {
			model.Services = append(model.Services, s)
		}
	}
	l.unusedParams(names)
	checkModel(l.report, model)
	problems := l.problems(names)
	if l.failed {
		return nil, problems
	}
	return model, problems
}

type loader struct {
	*report
	options    LoadOptions
	usedParams map[string]bool
	params     []string // declared by any file
}

// sections of a file. The version is that of the format, of which there is one.
var sections = []string{"description", "version", "metadata", "parameters", "definitions", "resources"}

// file reads one file. It returns nil if nothing can be made of it.
func (l *loader) file(f Source) *Service {
	root := parse(l.report, f)
	if root == nil {
		return nil
	}
	res := newResolver(l.report, f.Name)
	if root.Kind != yaml.MappingNode {
		l.errorf(res.at(root), "a commissioning file is a map of %s", strings.Join(sections, ", "))
		return nil
	}
	parts := l.sections(root, res)
	res.declare(parts["definitions"], parts["resources"])
	// metadata.name may refer to parameters, and what is made of it is a global.
	res.globals["Cybus::MqttHost"] = stringValue(cmp.Or(l.options.MqttHost, "localhost"), res.at(root))
	l.parameters(parts["parameters"], res)
	own := &Service{File: f.Name, Pos: res.at(root)}
	own.ID = l.serviceID(parts["metadata"], res, &own.Pos)
	res.globals["Cybus::ServiceId"], res.globals["Cybus::MqttRoot"] = broken(own.Pos), broken(own.Pos)
	if own.ID != "" {
		res.globals["Cybus::ServiceId"] = stringValue(own.ID, own.Pos)
		res.globals["Cybus::MqttRoot"] = stringValue("services/"+own.ID, own.Pos)
	}
	res.checkDefinitions(parts["definitions"])

	s := &service{Service: own, resolver: res, lenient: l.options.Lenient}
	s.read(parts["resources"])
	return s.Service
}

// sections splits a file into its parts.
func (l *loader) sections(root *yaml.Node, res *resolver) map[string]*yaml.Node {
	parts := map[string]*yaml.Node{}
	res.eachEntry(root, "the file", func(key, val *yaml.Node) {
		if !slices.Contains(sections, key.Value) {
			l.unknown(res.at(key), "section", key.Value, sections)
			return
		}
		parts[key.Value] = val
	})
	if text := parts["description"]; text != nil {
		if v := res.resolve(text, 1); v.kind == mapKind || v.kind == listKind {
			l.errorf(v.pos, "the description is %v, want a text", v.kind)
		}
	}
	return parts
}

// serviceID is the file's metadata.name in lower case, with everything but [a-z0-9_-] removed;
// empty, and a problem, if nothing remains. pos becomes the place it comes from.
func (l *loader) serviceID(metadata *yaml.Node, res *resolver, pos *Position) string {
	name, reported := l.options.ServiceID, false
	if metadata != nil {
		*pos = res.at(metadata)
		o := l.object(res.resolve(metadata, 1), "metadata")
		if v := o.val.get("name"); v != nil {
			*pos = v.pos
			reported = v.kind == brokenKind || v.kind == mapKind || v.kind == listKind
		}
		if own := o.scalarText("name"); name == "" {
			name = own
		}
		o.ignore("version", "icon", "provider", "homepage", "author", "description", "license", "tags", "labels")
		o.done()
	}
	id := cleanServiceID(name)
	switch {
	case id != "" || reported:
	case name == "":
		l.errorf(*pos, "the file has no metadata.name, which the service id is made of: give it, or --service-id")
	default:
		l.errorf(*pos, "nothing of the service id %q remains: it keeps letters, digits, _ and - only", clip(name))
	}
	return id
}

func cleanServiceID(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return -1
	}, strings.ToLower(name))
}

// unusedParams reports values that were given for parameters that no file declares.
func (l *loader) unusedParams(files []string) {
	for _, name := range slices.Sorted(maps.Keys(l.options.Params)) {
		if !l.usedParams[name] && len(files) > 0 {
			l.add(Problem{
				Pos:  Position{File: files[0]},
				Text: "--param " + clip(name) + ": no file declares this parameter", Hint: didYouMean(name, slices.Compact(slices.Sorted(slices.Values(l.params)))),
			})
		}
	}
}
