// Package fuzz holds the fuzz targets that look at flowsync from outside, each against a model
// that is slow and obvious: a map and a sorted list for the engine, encoding/json for the codec.
//
//	go test ./fuzz                                      # the seeds, as ordinary tests
//	go test ./fuzz -run '^$' -fuzz '^FuzzEngine$' -fuzztime 10s
//
// What a target finds is written to testdata/fuzz and stays there as a seed, with one line in
// the commit that says what it was.
package fuzz
