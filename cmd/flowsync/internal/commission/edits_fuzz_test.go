package commission

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// FuzzEdits takes a file that somebody has written and edits it as people do: lines are deleted,
// repeated, moved and indented otherwise, names and values replaced by others that occur. What must
// hold is what FuzzLoad says. A program is the number of the file, and four bytes for each edit.
func FuzzEdits(f *testing.F) {
	all := files(f)
	keys, values := words(all)
	for i := range all {
		for op := range byte(edits) {
			f.Add([]byte{byte(i), op, byte(3 * i), 0, byte(7 * i), op, byte(5 * i), 1, byte(11 * i)})
		}
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) == 0 {
			return
		}
		lines := strings.Split(string(all[int(program[0])%len(all)]), "\n")
		for step := range slices.Chunk(program[1:min(len(program), 41)], 4) {
			if len(step) == 4 && len(lines) > 0 {
				lines = edit(lines, step, keys, values)
			}
		}
		requireSound(t, []byte(strings.Join(lines, "\n")))
	})
}

var pair = regexp.MustCompile(`^(\s*(?:- )?)([^\s:#'"\[{]+(?:::[^\s:]+)*):(?: (.*))?$`)

// words are the names and the values that occur in files, and some values that should be refused.
func words(files [][]byte) (keys, values []string) {
	values = []string{
		"", "~", "-1", "0", "1", "9007199254740993", "1e400", ".nan", "true", "[]", "{}", "''", `"\u0000"`, "a/#", "+/+x/#y", "{x}", "!ref nothing", "!sub '${nothing}'", "!merge [{}, []]",
		"|\n", "&a", "*a", "Cybus::Mapping", "Cybus::Node::Http", "Cybus::Node::Opcua", "transaction", strings.Repeat("x", 300),
	}
	for _, data := range files {
		for line := range bytes.Lines(data) {
			if m := pair.FindSubmatch(bytes.TrimRight(line, "\n")); m != nil {
				keys, values = append(keys, string(m[2])), append(values, string(m[3]))
			}
		}
	}
	slices.Sort(keys)
	slices.Sort(values)
	return slices.Compact(keys), slices.Compact(values)
}

// edits is how many kinds there are.
const edits = 9

func edit(lines []string, step []byte, keys, values []string) []string {
	at, word := (int(step[1])+256*int(step[2]))%len(lines), int(step[2])*251+int(step[3])
	m := pair.FindStringSubmatch(lines[at])
	if m == nil {
		m = []string{"", lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], " "))], "", ""}
	}
	key, value := keys[word%len(keys)], values[word%len(values)]
	switch step[0] % edits {
	case 0:
		return slices.Delete(lines, at, at+1)
	case 1:
		lines[at] = m[1] + m[2] + ": " + value
	case 2:
		lines[at] = m[1] + key + ": " + m[3]
	case 3:
		return slices.Insert(lines, at, m[1]+key+": "+value)
	case 4:
		return slices.Insert(lines, int(step[3])%len(lines), lines[at])
	case 5:
		lines[at] = strings.Repeat(" ", int(step[3]%8)) + lines[at]
	case 6:
		lines[at] = strings.TrimPrefix(lines[at], "  ")
	case 7:
		other := int(step[3]) % len(lines)
		lines[at], lines[other] = lines[other], lines[at]
	case 8:
		lines[at] += string(rune(step[3]))
	}
	return lines
}
