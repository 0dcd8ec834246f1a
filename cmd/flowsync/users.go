package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"unicode/utf8"
)

// The bounds of a file of users.
const (
	maxUsersFile = 256 << 10 // bytes
	maxUsers     = 1000
)

// users are names and passwords that OPC UA clients may log in with; the zero value is none. Only
// digests are kept, all of one length: comparing them tells nothing of what they are made of.
// However they are printed, they show nothing (see secret).
type users struct{ list *[]userDigest }

type userDigest struct{ name, password [sha256.Size]byte }

// none says whether nobody can log in.
func (u users) none() bool { return u.list == nil }

// login says whether one of the users has this name and password. It compares with all of them
// and takes as long whatever is wrong.
func (u users) login(name, password string) bool {
	if u.none() {
		return false
	}
	got := userDigest{sha256.Sum256([]byte(name)), sha256.Sum256([]byte(password))}
	found := 0
	for _, user := range *u.list {
		found |= subtle.ConstantTimeCompare(got.name[:], user.name[:]) & subtle.ConstantTimeCompare(got.password[:], user.password[:])
	}
	return found == 1
}

func (u users) String() string               { return hidden }
func (u users) GoString() string             { return hidden }
func (u users) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (u users) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// usersFile reads a file of users; no file: none.
func (j *judge) usersFile(flag, path string) users {
	if path == "" {
		return users{}
	}
	u, err := readUsers(path)
	if err != nil {
		j.fault(flag, path, "%v", err)
	}
	return u
}

func readUsers(path string) (users, error) {
	file, err := os.Open(path)
	if err != nil {
		return users{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxUsersFile+1))
	if err != nil {
		return users{}, err
	}
	if len(text) > maxUsersFile {
		return users{}, fmt.Errorf("%s is larger than %s: it should have lines of name:password", path, sizeText(maxUsersFile))
	}
	list, err := parseUsers(text)
	if err != nil {
		return users{}, fmt.Errorf("%s %w", path, err)
	}
	return users{&list}, nil
}

// parseUsers reads lines of name:password. The password is all behind the first colon; blank
// lines and those that begin with # do not count. Errors quote nothing of what they are about.
func parseUsers(text []byte) ([]userDigest, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("is not UTF-8: save it as UTF-8 text")
	}
	var list []userDigest
	first := map[[sha256.Size]byte]int{} // the line of each name
	number := 0
	for line := range strings.Lines(string(bytes.TrimPrefix(text, []byte("\ufeff")))) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		name, password, found := strings.Cut(line, ":")
		if !found || name == "" || password == "" {
			return nil, fmt.Errorf("has a line that is not name:password: line %d", number)
		}
		user := userDigest{sha256.Sum256([]byte(name)), sha256.Sum256([]byte(password))}
		if at, twice := first[user.name]; twice {
			return nil, fmt.Errorf("has the name of line %d again in line %d: a user has one password", at, number)
		}
		if len(list) == maxUsers {
			return nil, fmt.Errorf("has more than %d users", maxUsers)
		}
		first[user.name] = number
		list = append(list, user)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("has no users: write lines of name:password")
	}
	return list, nil
}

// readableByAll says whether every user of this machine may read a file. Where permissions mean
// nothing, as on Windows, it says no.
func readableByAll(path string) bool {
	info, err := os.Stat(path)
	return err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o004 != 0
}
