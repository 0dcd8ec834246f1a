package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// loadReport is a report of either kind.
type loadReport interface {
	WriteText(io.Writer) error
	Plot(io.Writer) error
	OK() bool
}

// outputs is where a report goes. The files are opened before the run: nobody waits for a minute to
// hear that there is no such folder. What is in them stays until there is a report to write.
type outputs struct {
	text io.Writer   // nil: no text
	json io.Writer   // nil: no JSON
	plot *outputFile // nil: no picture

	files []*outputFile
}

// outputFile is a file that a report replaces.
type outputFile struct {
	*os.File
	made bool // it was not there before
}

func openOutputs(stdout io.Writer, jsonPath, plotPath string) (*outputs, error) {
	o := &outputs{text: stdout}
	var errJSON, errPlot error
	if jsonPath == "-" {
		o.text, o.json = nil, stdout
	} else if jsonPath != "" {
		o.json, errJSON = o.open("json", jsonPath)
	}
	if plotPath != "" {
		o.plot, errPlot = o.open("plot", plotPath)
	}
	if err := errors.Join(errJSON, errPlot); err != nil {
		return nil, o.abandon(err)
	}
	return o, nil
}

// open opens a file, or makes it.
func (o *outputs) open(flag, path string) (*outputFile, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	made := err == nil
	if errors.Is(err, fs.ErrExist) {
		file, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	}
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	f := &outputFile{file, made}
	o.files = append(o.files, f)
	return f, nil
}

// empty takes out what is in a file, so that another report can be written. What is no file, such
// as a pipe, has nothing in it.
func (f *outputFile) empty() error {
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return f.Truncate(0)
}

// abandon closes a file. One that was made for the report is taken away again.
func (f *outputFile) abandon() error {
	err := f.Close()
	if f.made {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// write writes the report to all of them, and says how the command ends.
func (o *outputs) write(r loadReport) error {
	var errs []error
	for _, file := range o.files {
		errs = append(errs, file.empty())
	}
	if o.text != nil {
		errs = append(errs, r.WriteText(o.text))
	}
	if o.json != nil {
		e := json.NewEncoder(o.json)
		e.SetIndent("", "  ")
		errs = append(errs, e.Encode(r))
	}
	if o.plot != nil {
		errs = append(errs, r.Plot(o.plot))
	}
	for _, file := range o.files {
		errs = append(errs, file.Close())
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if !r.OK() {
		return exitCode(exitFailed)
	}
	return nil
}

// abandon leaves the files as they were before, and returns the error and what could not be left so.
func (o *outputs) abandon(err error) error {
	errs := []error{err}
	for _, file := range o.files {
		errs = append(errs, file.abandon())
	}
	return errors.Join(errs...)
}
