package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// maxSecret bounds a password or token, in bytes.
const maxSecret = 8 << 10

// secret is a password or token; the zero value is none. However it is printed, it shows
// nothing of itself: fmt does not call the methods of what is in an unexported field, so the
// text is behind a pointer too.
type secret struct{ text *string }

func secretOf(text string) secret { return secret{&text} }

// reveal returns the text, for whoever needs to send it.
func (s secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

const hidden = "[hidden]"

// String, GoString, LogValue and MarshalText are the ways in which fmt, slog and encoding/json
// print a value.
func (s secret) String() string               { return hidden }
func (s secret) GoString() string             { return hidden }
func (s secret) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (s secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// secretFile reads the first line of a file; no file: none.
func (j *judge) secretFile(flag, path string) secret {
	if path == "" {
		return secret{}
	}
	s, err := readSecret(path)
	if err != nil {
		j.fault(flag, path, "%v", err)
	}
	return s
}

func readSecret(path string) (secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return secret{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return secret{}, err
	}
	if len(text) > maxSecret {
		return secret{}, fmt.Errorf("%s is larger than %d bytes: it should have one line with the secret", path, maxSecret)
	}
	line, rest, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	switch {
	case line == "":
		return secret{}, fmt.Errorf("%s has nothing in its first line: write the secret there", path)
	case strings.TrimSpace(rest) != "":
		return secret{}, errors.New(path + " has more than one line: it should have one with the secret")
	}
	return secretOf(line), nil
}
