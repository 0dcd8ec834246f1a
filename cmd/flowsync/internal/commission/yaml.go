package commission

import (
	"regexp"
	"strconv"
	"strings"
)

// The library tells the place of a syntax error in its text only.
var yamlLine = regexp.MustCompile(`\bline (\d+)(?:[:,]? column (\d+))?:?\s*`)

// of is the place that a syntax error names, within the file.
func (p Position) of(err error) Position {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Column = 1
		if m[2] != "" {
			p.Column, _ = strconv.Atoi(m[2])
		}
	}
	return p
}

// yamlText is what a syntax error says besides its place.
func yamlText(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	return clip(strings.TrimSpace(yamlLine.ReplaceAllString(text, "")))
}
