package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = "dev"

// versionCommand is "flowsync version".
type versionCommand struct{}

// Run prints the version.
func (*versionCommand) Run(p *process) error {
	build, _ := debug.ReadBuildInfo()
	return printVersion(p.stdout, build)
}

func printVersion(w io.Writer, build *debug.BuildInfo) error {
	_, err := fmt.Fprintf(w, "flowsync %s\ncommit   %s\ngo       %s %s/%s\n", version, commitOf(build), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// commit is the commit that this process was built from.
func commit() string {
	build, _ := debug.ReadBuildInfo()
	return commitOf(build)
}

// commitOf is the commit that was built, as far as the build knows it.
func commitOf(build *debug.BuildInfo) string {
	commit, changed := "", ""
	if build != nil {
		for _, setting := range build.Settings {
			switch setting.Key {
			case "vcs.revision":
				commit = setting.Value
			case "vcs.modified":
				if setting.Value == "true" {
					changed = " with changes"
				}
			}
		}
	}
	if commit == "" {
		return "unknown"
	}
	return commit + changed
}
