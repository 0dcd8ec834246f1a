package main

import (
	"fmt"
	"io"
)

// checkCommand is "flowsync check".
type checkCommand struct {
	modelFlags
	Files []string `arg:"" name:"file" help:"Commissioning files (YAML)."`
}

// Help is what is said below the one line.
func (*checkCommand) Help() string {
	return "Reads the files as run would, and says all that is wrong with them, a line each: file:line:column: what. Exit code 1 if there are errors; 0 if there are warnings only, or nothing."
}

// finding is something that is wrong with a commissioning file, or doubtful.
type finding struct {
	text    string // file:line:column: what is wrong, and what to do
	warning bool   // it can be served nevertheless
}

func (f finding) String() string {
	if f.warning {
		return f.text + " (warning)"
	}
	return f.text
}

// reader reads commissioning files and returns all findings, in the order of the files.
type reader func(files []string, s modelSettings) []finding

// Run reports on the files.
func (c *checkCommand) Run(p *process) error {
	var j judge
	s := c.settings(&j, len(c.Files))
	if err := j.err(); err != nil {
		return err
	}
	findings := p.read(c.Files, s)
	errors, warnings := count(findings)
	if err := printFindings(p.stdout, findings); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(p.stdout, "%s: %s, %s\n", plural(len(c.Files), "file"), plural(errors, "error"), plural(warnings, "warning")); err != nil {
		return err
	}
	if errors > 0 {
		return exitCode(exitFailed)
	}
	return nil
}

func printFindings(w io.Writer, findings []finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	return nil
}

func count(findings []finding) (errors, warnings int) {
	for _, f := range findings {
		if f.warning {
			warnings++
		} else {
			errors++
		}
	}
	return errors, warnings
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
