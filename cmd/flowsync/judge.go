package main

import (
	"fmt"
	"iter"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// optionFaults is everything that is wrong with the options of a command.
type optionFaults []string

func (f optionFaults) Error() string { return strings.Join(f, "; ") }

func (f optionFaults) report() string {
	if len(f) == 1 {
		return "flowsync: " + f[0] + "\n"
	}
	return fmt.Sprintf("flowsync: %d options are wrong:\n  %s\n", len(f), strings.Join(f, "\n  "))
}

// judge reads values of options and collects what is wrong with them. What is wrong is returned
// as the zero value.
type judge struct{ faults optionFaults }

func (j *judge) err() error {
	if len(j.faults) == 0 {
		return nil
	}
	return j.faults
}

// fault names the flag, or the variable if the value came from there, and says what to do.
func (j *judge) fault(flag, value, format string, args ...any) {
	where := "--" + flag
	if env, ok := os.LookupEnv(envName(flag)); ok && env == value {
		where = envName(flag)
	}
	j.faults = append(j.faults, where+": "+fmt.Sprintf(format, args...))
}

func envName(flag string) string {
	return "FLOWSYNC_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func (j *judge) duration(flag, text string, low, high time.Duration) time.Duration {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		j.fault(flag, text, "%q is not a duration: write numbers with units, such as 10s or 1m30s", text)
	case d < low || d > high:
		j.fault(flag, text, "%s is out of range, want %v to %v", text, low, high)
	default:
		return d
	}
	return 0
}

func (j *judge) count(flag, text string, low, high int64) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high {
		j.fault(flag, text, "%q is not a whole number from %d to %d", text, low, high)
		return 0
	}
	return n
}

// units of sizes; the longer ones first, as they are told apart by how the text ends.
var units = []struct {
	name string
	size int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"b", 1}, {"", 1},
}

func (j *judge) size(flag, text string, low, high int64) int64 {
	number := strings.ToLower(strings.TrimSpace(text))
	var unit int64
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil || n < 0:
		j.fault(flag, text, "%q is not a size: write whole bytes or a unit, such as 65536 or 64KiB or 1MiB", text)
	case n > high/unit || n*unit < low:
		j.fault(flag, text, "%s is out of range, want %s to %s", text, sizeText(low), sizeText(high))
	default:
		return n * unit
	}
	return 0
}

func sizeText(n int64) string {
	for _, u := range []struct {
		name string
		size int64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if n >= u.size && n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}

func (j *judge) oneOf(flag, text string, allowed ...string) string {
	if slices.Contains(allowed, text) {
		return text
	}
	j.fault(flag, text, "%q is unknown, want %s", text, strings.Join(allowed, ", "))
	return ""
}

func (j *judge) optionalAddress(flag, text string) string {
	if text == "" {
		return ""
	}
	return j.address(flag, text)
}

// address reads host:port to listen on; the host may be empty for all interfaces.
func (j *judge) address(flag, text string) string {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		j.fault(flag, text, "%q is not an address: write host:port, such as 127.0.0.1:8080", text)
		return ""
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strings.ContainsAny(host, "/ ") {
		j.fault(flag, text, "%q is not an address: the port is a number from 0 (a free one) to 65535", text)
		return ""
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10))
}

// beyondLoopback says whether others can reach an address to listen on. A name other than
// localhost counts as reachable: who answers for it is not ours to say.
func beyondLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || strings.EqualFold(host, "localhost") {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

// prefix reads the path before all others.
func (j *judge) prefix(flag, text string) string {
	path := strings.TrimRight(text, "/")
	if path == "" {
		return ""
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#{}% \t") || strings.Contains(path, "//") {
		j.fault(flag, text, "%q is not a plain path: write such as /data, or / for none", text)
		return ""
	}
	return path
}

func (j *judge) together(flag, value, other, otherValue string) {
	switch {
	case value != "" && otherValue == "":
		j.fault(flag, value, "needs --%s too", other)
	case value == "" && otherValue != "":
		j.fault(other, otherValue, "needs --%s too", flag)
	}
}

func (j *judge) origin(flag, text string) {
	if text == "*" {
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		j.fault(flag, text, "%q is not an origin: write scheme://host or scheme://host:port, or * for all", text)
	}
}

// broker judges the URL of a broker and returns its scheme.
func (j *judge) broker(flag, text string) string {
	u, err := brokerURL(text)
	if err != nil {
		j.fault(flag, text, "%v", err)
		return ""
	}
	return u.Scheme
}

// params reads NAME=VALUE.
func (j *judge) params(flag string, texts []string) map[string]string {
	params := make(map[string]string, len(texts))
	for _, text := range texts {
		name, value, ok := strings.Cut(text, "=")
		if _, twice := params[name]; !ok || name == "" {
			j.fault(flag, text, "%q is not NAME=VALUE", text)
		} else if twice {
			j.fault(flag, text, "%q is given twice", name)
		}
		params[name] = value
	}
	return params
}

// lines returns the lines of a text that are not blank.
func lines(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" && !yield(line) {
				return
			}
		}
	}
}
