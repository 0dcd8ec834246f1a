package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed template.md
var pageTemplate string

func main() {
	if err := run(os.Args[1:], pageTemplate, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "page:", err)
		os.Exit(1)
	}
}

// run does what the arguments say.
func run(args []string, text string, out io.Writer) error {
	flags := flag.NewFlagSet("page", flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's root, to write to or to compare with")
	results := flags.String("results", "", "folder of the recorded results (default ROOT/bench/results)")
	check := flags.Bool("check", false, "change nothing, and fail if the page and the data differ")
	flags.SetOutput(out)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *results == "" {
		*results = filepath.Join(*root, "bench", "results")
	}
	d, err := readData(os.DirFS(*results))
	if err != nil {
		return err
	}
	p, err := newPage(d, text)
	if err != nil {
		return err
	}
	if *check {
		return compare(p, *root)
	}
	if err := write(p, *root); err != nil {
		return err
	}
	fmt.Fprintf(out, "page: %s and %d pictures; targets: %s\n", pageFile, len(p.output)-1, p.targets.verdicts())
	return nil
}

// pictures are those that there are.
func pictures(root string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(root, picturesFolder, "*.svg"))
	for i, file := range found {
		found[i] = picturesFolder + "/" + filepath.Base(file)
	}
	return found, err
}

func compare(p *page, root string) error {
	old, err := pictures(root)
	if err != nil {
		return err
	}
	read := func(file string) ([]byte, error) { return os.ReadFile(filepath.Join(root, file)) }
	found := p.differences(read, old)
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return errors.New("the page and the data differ: run make bench-page, or see what changed\n" + strings.Join(found, "\n"))
}

// write writes all files, and takes away pictures that the page no longer shows.
func write(p *page, root string) error {
	old, err := pictures(root)
	if err != nil {
		return err
	}
	for _, file := range old {
		if _, ok := p.output[file]; !ok {
			if err := os.Remove(filepath.Join(root, file)); err != nil {
				return err
			}
		}
	}
	for file, content := range p.output {
		path := filepath.Join(root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o666); err != nil {
			return err
		}
	}
	return nil
}
