// Package script says what a responder is to do with a request. The requester decides, and writes it
// into the marker that the request carries: so a responder needs no state, and one that was killed
// and started again goes on as if nothing had been.
package script

import "fmt"

// Script is what to do with a request.
type Script uint8

// The scripts. What they answer carries the request's marker unless it says otherwise.
const (
	Echo       Script = iota // answers at once
	Soon                     // answers after a few milliseconds
	Slow                     // answers after a part of the node's timeout
	Late                     // answers after the timeout
	Silent                   // does not answer
	Error                    // answers with an error
	Twice                    // answers two times, one right after the other
	Again                    // answers, and once more a moment later
	Malformed                // sends what is no answer, then answers
	Unusable                 // sends the id without value or error
	Extend                   // asks for more time, answers when the timeout has passed
	Endless                  // asks for more time again and again, never answers
	Stranger                 // sends answers to ids that nobody has, then answers
	Disagree                 // sends an answer whose payload has its id, and whose correlation data another's
	Past                     // repeats its answer to an earlier request, then answers
	Correlated               // answers with the id in the correlation data only
	Upper                    // answers with the id in capital letters
	Big                      // answers with a value of many kilobytes
	end
)

var names = [end]string{
	"echo", "soon", "slow", "late", "silent", "error", "twice", "again", "malformed", "unusable", "extend",
	"endless", "stranger", "disagree", "past", "correlated", "upper", "big",
}

// All are all scripts.
func All() []Script {
	all := make([]Script, end)
	for i := range all {
		all[i] = Script(i)
	}
	return all
}

func (s Script) String() string {
	if s < end {
		return names[s]
	}
	return fmt.Sprintf("script(%d)", uint8(s))
}

// Marker makes the marker of a request: its number, and what the responder is to do.
func Marker(number uint64, s Script) uint64 { return number<<8 | uint64(s) }

// Of is the script that a marker carries. One that is not known is an echo.
func Of(marker uint64) Script {
	if s := Script(marker); s < end {
		return s
	}
	return Echo
}
