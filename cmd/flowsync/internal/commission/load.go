package commission

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Source is a file that was read: its name, as problems show it, and its bytes.
type Source struct {
	Name string
	Data []byte
}

// LoadOptions say how files are read.
type LoadOptions struct {
	// Params are values of parameters, as text. Each must be declared by at least one file.
	Params map[string]string
	// ServiceID replaces that of the file. With one file only.
	ServiceID string
	// Lenient makes resources of unknown types a warning.
	Lenient bool
	// MqttHost is what Cybus::MqttHost stands for. Empty: localhost.
	MqttHost string
}

// Load reads files and returns the model, or nil if there are errors, and everything that is
// wrong or doubtful, in the order of files and lines.
func Load(files []Source, options LoadOptions) (*Model, []Problem) {
	r := &report{}
	l := &loader{report: r, options: options, usedParams: map[string]bool{}}
	model := &Model{}
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
		if s := l.file(f); s != nil {
			model.Services = append(model.Services, s)
		}
	}
	l.unusedParams(names)
	checkModel(r, model)
	problems := r.problems(names)
	if r.failed {
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

var sections = []string{"description", "metadata", "parameters", "definitions", "resources"}

// file reads one file. It returns nil if nothing can be made of it.
func (l *loader) file(f Source) *Service {
	whole := Position{File: f.Name}
	root, err := parse(f.Data)
	if err != nil {
		l.errorf(whole.of(err), "%s", yamlText(err))
		return nil
	}
	res := &resolver{
		report: l.report, file: f.Name, params: map[string]*value{}, defined: map[string]*yaml.Node{},
		resources: map[string]Position{}, open: map[string]bool{}, done: map[string]*value{}, aliasTrail: map[*yaml.Node]bool{},
	}
	parts := l.sections(root, res)
	if parts == nil {
		return nil
	}
	id, ok := l.serviceID(parts["metadata"], res, whole)
	if !ok {
		id = "invalid"
	}
	res.globals = map[string]string{"Cybus::MqttHost": l.options.MqttHost, "Cybus::MqttRoot": "services/" + id, "Cybus::ServiceId": id}
	if l.options.MqttHost == "" {
		res.globals["Cybus::MqttHost"] = "localhost"
	}
	l.parameters(parts["parameters"], res)
	eachEntry(res, parts["definitions"], "definitions", func(key, val *yaml.Node) { res.defined[key.Value] = val })
	eachEntry(res, parts["resources"], "resources", func(key, _ *yaml.Node) { res.resources[key.Value] = res.at(key) })
	s := &service{Service: &Service{ID: id, File: f.Name}, resolver: res, lenient: l.options.Lenient}
	s.read(parts["resources"])
	return s.Service
}

// parse reads the one YAML document that a file holds.
func parse(data []byte) (*yaml.Node, error) {
	if len(data) > maxFile {
		return nil, errors.New("the file is larger than 4 MiB")
	}
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("the file is empty")
		}
		return nil, err
	}
	var more yaml.Node
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("the file has more than one YAML document")
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("the file is empty")
	}
	return doc.Content[0], nil
}

// sections splits a file into its parts.
func (l *loader) sections(root *yaml.Node, res *resolver) map[string]*yaml.Node {
	if root.Kind != yaml.MappingNode {
		l.errorf(res.at(root), "a commissioning file is a map of %s", strings.Join(sections, ", "))
		return nil
	}
	parts := map[string]*yaml.Node{}
	eachEntry(res, root, "the file", func(key, val *yaml.Node) {
		if !slices.Contains(sections, key.Value) {
			l.unknown(res.at(key), "section", key.Value, sections)
			return
		}
		parts[key.Value] = val
	})
	if parts["resources"] == nil {
		l.errorf(res.at(root), "the file has no resources")
	}
	return parts
}

// eachEntry calls f for each key of a map, once; a key that stands twice is reported.
func eachEntry(res *resolver, n *yaml.Node, what string, f func(key, val *yaml.Node)) {
	if n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode {
		res.errorf(res.at(n), "%s must be a map", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if line, twice := seen[key.Value]; twice {
			res.errorf(res.at(key), "%q stands twice in %s, first at line %d", clip(key.Value), what, line)
			continue
		}
		seen[key.Value] = key.Line
		f(key, n.Content[i+1])
	}
}

// serviceID is the file's metadata.name in lower case, with everything but [a-z0-9_-] removed.
func (l *loader) serviceID(metadata *yaml.Node, res *resolver, at Position) (string, bool) {
	name := l.options.ServiceID
	if metadata != nil {
		at = res.at(metadata)
		o := l.object(res.resolve(metadata, 0), "metadata")
		if own := o.scalarText("name"); name == "" {
			name = own
		}
		o.ignore("version", "icon", "provider", "homepage", "author", "description", "license", "tags", "labels")
		o.done()
	}
	if name == "" {
		l.errorf(at, "the file has no metadata.name, which the service id is made of; give it, or --service-id")
		return "", false
	}
	id := cleanServiceID(name)
	if id == "" {
		l.errorf(at, "the service id made of %q is empty: it keeps letters, digits, _ and - only", clip(name))
	}
	return id, id != ""
}

func cleanServiceID(name string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return -1
	}, strings.ToLower(name))
}

func (l *loader) unusedParams(files []string) {
	for _, name := range slices.Sorted(maps.Keys(l.options.Params)) {
		if !l.usedParams[name] && len(files) > 0 {
			l.add(Problem{
				Pos:  Position{File: files[0]},
				Text: "the parameter " + clip(name) + " was given a value, but no file declares it", Hint: didYouMean(name, l.params),
			})
		}
	}
}
