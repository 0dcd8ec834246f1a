package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCheck(t *testing.T) {
	wrong := finding{text: `a.yaml:3:5: unknown property "rout" (did you mean "route"?)`}
	doubtful := finding{text: "a.yaml:9:1: a GET transaction may be repeated by proxies", warning: true}
	for _, c := range []struct {
		findings []finding
		code     int
		out      string
	}{
		{nil, exitDone, "1 file: 0 errors, 0 warnings\n"},
		{[]finding{doubtful}, exitDone, doubtful.text + " (warning)\n1 file: 0 errors, 1 warning\n"},
		{[]finding{wrong, doubtful, wrong}, exitFailed, wrong.text + "\n" + doubtful.text + " (warning)\n" + wrong.text + "\n1 file: 2 errors, 1 warning\n"},
	} {
		w := newWorld()
		w.findings = c.findings
		assert.Equal(t, c.code, w.run("check", "a.yaml"))
		assert.Equal(t, c.out, w.stdout.String())
		assert.Empty(t, w.stderr.String())
	}
}

func TestCheckOptions(t *testing.T) {
	var got modelSettings
	w := newWorld()
	w.read = func(files []string, s modelSettings) []finding {
		got = s
		return nil
	}
	assert.Equal(t, exitDone, w.run("check", "a", "b", "--param=x=1", "--lenient"))
	assert.Equal(t, modelSettings{params: map[string]string{"x": "1"}, lenient: true}, got)
	assert.Contains(t, w.stdout.String(), "2 files")

	w = newWorld()
	assert.Equal(t, exitUsage, w.run("check", "a", "b", "--service-id=x", "--param=y"))
	assert.Equal(t, 3, strings.Count(w.stderr.String(), "\n"), "both faults")
	assert.Nil(t, w.files)
}
