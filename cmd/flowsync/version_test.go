package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersion(t *testing.T) {
	w := newWorld()
	assert.Equal(t, exitDone, w.run("version"))
	assert.True(t, strings.HasPrefix(w.stdout.String(), "flowsync dev\ncommit   "), w.stdout.String())

	for _, c := range []struct {
		settings []debug.BuildSetting
		commit   string
	}{
		{nil, "unknown"},
		{[]debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "false"}}, "abc"},
		{[]debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "abc"}}, "abc with changes"},
	} {
		var out strings.Builder
		require.NoError(t, printVersion(&out, &debug.BuildInfo{Settings: c.settings}))
		assert.Equal(t, "flowsync dev\ncommit   "+c.commit+"\ngo       "+runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH+"\n", out.String())
	}
}
