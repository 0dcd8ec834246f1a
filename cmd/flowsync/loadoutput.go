package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// loadReport is a report of either kind.
type loadReport interface {
	WriteText(io.Writer) error
	Plot(io.Writer) error
	OK() bool
}

// outputs is where a report goes. The files are made before the run: nobody waits for a minute to
// hear that there is no such folder.
type outputs struct {
	text io.Writer // nil: no text
	json io.Writer // nil: no JSON
	plot io.Writer // nil: no picture

	files []*os.File
}

func openOutputs(stdout io.Writer, jsonPath, plotPath string) (*outputs, error) {
	o := &outputs{text: stdout}
	var errJSON, errPlot error
	if jsonPath == "-" {
		o.text, o.json = nil, stdout
	} else {
		o.json, errJSON = o.create("json", jsonPath)
	}
	o.plot, errPlot = o.create("plot", plotPath)
	if err := errors.Join(errJSON, errPlot); err != nil {
		return nil, o.abandon(err)
	}
	return o, nil
}

// create makes a file; no path: none.
func (o *outputs) create(flag, path string) (io.Writer, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	o.files = append(o.files, file)
	return file, nil
}

// write writes the report to all of them, and says how the command ends.
func (o *outputs) write(r loadReport) error {
	var errs []error
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

// abandon takes the files away again, which are empty, and returns the error and what could not be
// taken away.
func (o *outputs) abandon(err error) error {
	errs := []error{err}
	for _, file := range o.files {
		errs = append(errs, file.Close(), os.Remove(file.Name()))
	}
	return errors.Join(errs...)
}
