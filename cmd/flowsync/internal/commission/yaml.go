package commission

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parse reads the one YAML document that a file holds. It reports what is wrong and returns nil
// if there is none.
func parse(r *report, f Source) *yaml.Node {
	at := Position{File: f.Name}
	if len(f.Data) > maxFile {
		r.errorf(at, "the file is larger than %d MiB", maxFile>>20)
		return nil
	}
	if offset, what := unreadable(f.Data); what != "" {
		at.Line, at.Column = lineOf(f.Data, offset)
		r.errorf(at, "%s: save the file as UTF-8 text", what)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(f.Data))
	var doc, more yaml.Node
	err := decoder.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF):
		r.errorf(at, "the file is empty")
		return nil
	case err != nil:
		r.syntax(at, err)
		return nil
	}
	switch err := decoder.Decode(&more); {
	case err == nil:
		at.Line, at.Column = more.Line, more.Column
		r.errorf(at, "a second YAML document begins here: a commissioning file is one, put each into a file of its own")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(at, err)
		return nil
	}
	return doc.Content[0]
}

// syntax reports what the library found, at the place it found it.
func (r *report) syntax(at Position, err error) {
	var fault *yaml.LoadError
	if !errors.As(err, &fault) {
		r.errorf(at, "this is not YAML: %v", err)
		return
	}
	at.Line, at.Column = fault.Mark.Line, fault.Mark.Column
	begun := ""
	if fault.ContextMsg != "" && fault.ContextMark.Line > 0 && fault.ContextMark.Line != at.Line {
		begun = fmt.Sprintf(", %s that begins on line %d", fault.ContextMsg, fault.ContextMark.Line)
	}
	r.errorf(at, "this is not YAML: %s%s", clip(fault.Message), begun)
}

// unreadable finds the first byte that text in a YAML file may not have (YAML 1.2.2, 5.1). The
// library refuses these too, without saying where.
func unreadable(data []byte) (offset int, what string) {
	for offset < len(data) {
		c, size := utf8.DecodeRune(data[offset:])
		switch {
		case c == utf8.RuneError && size == 1:
			return offset, fmt.Sprintf("the byte %#02x is not UTF-8", data[offset])
		case c < 0x20 && c != '\t' && c != '\n' && c != '\r', c >= 0x7f && c < 0xa0 && c != 0x85, c&0xfffe == 0xfffe:
			return offset, fmt.Sprintf("the character %U does not belong into a text", c)
		}
		offset += size
	}
	return 0, ""
}

// lineOf is the line and column, in characters, of a place in a text.
func lineOf(data []byte, offset int) (line, column int) {
	before := data[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte{'\n'}) + 1, utf8.RuneCount(before[start:]) + 1
}

// eachEntry calls f for each key of a map, in the order of the file. A key that is no plain word,
// or stands twice, is reported. An absent or empty map has no entries.
func (r *resolver) eachEntry(n *yaml.Node, what string, f func(key, val *yaml.Node)) {
	if n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.MappingNode || ownTag(n) {
		r.errorf(r.at(n), "%s must be a plain map", what)
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || ownTag(key) {
			r.errorf(r.at(key), "a key must be a plain word")
			continue
		}
		if line, twice := seen[key.Value]; twice {
			r.errorf(r.at(key), "%q stands twice in %s, first on line %d", clip(key.Value), what, line)
			continue
		}
		seen[key.Value] = key.Line
		f(key, n.Content[i+1])
	}
}

// ownTag says whether a node has a tag such as !ref, which is not one of YAML's (!!str).
func ownTag(n *yaml.Node) bool {
	return len(n.Tag) > 0 && n.Tag[0] == '!' && (len(n.Tag) == 1 || n.Tag[1] != '!')
}
