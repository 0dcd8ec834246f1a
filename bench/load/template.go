package load

import (
	"bytes"
	"strconv"
)

// mark stands for the number of a request in the texts of users.
const mark = "{seq}"

// template is a text in which the number of a request has its places.
type template struct{ parts [][]byte } // between them the number

func newTemplate(text string) template {
	return template{bytes.Split([]byte(text), []byte(mark))}
}

// numbered says whether the number is in it.
func (t template) numbered() bool { return len(t.parts) > 1 }

// append appends the text of request seq.
func (t template) append(to []byte, seq uint64) []byte {
	for i, part := range t.parts {
		if i > 0 {
			to = strconv.AppendUint(to, seq, 10)
		}
		to = append(to, part...)
	}
	return to
}

func (t template) String() string { return string(bytes.Join(t.parts, []byte(mark))) }
