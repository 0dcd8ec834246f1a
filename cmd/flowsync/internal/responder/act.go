package responder

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Act is what is done with one request.
type Act uint8

// The acts.
const (
	Answer    Act = iota // a valid answer, once
	Error                // an answer with an error member
	Duplicate            // a valid answer, twice
	Late                 // a valid answer after the requester's deadline
	WrongID              // an answer with an id that nobody asked for
	Garbage              // something that is not JSON
	IDOnly               // {"id":…} and nothing else
	Silence              // nothing
	Retained             // a valid answer that the broker is asked to keep
	actEnd
)

var actNames = [actEnd]string{
	"answer", "error", "duplicate", "late", "wrong-id", "garbage", "id-only", "silence", "retained",
}

// String returns the act's word, which is also its flag.
func (a Act) String() string { return actNames[a] }

// Shares says for how many of a hundred requests each act is drawn. That of Answer is what the
// others leave, whatever is set.
type Shares [actEnd]float64

// check says what is wrong with the shares.
func (s *Shares) check() error {
	sum := 0.0
	for a := Error; a < actEnd; a++ {
		if !(s[a] >= 0 && s[a] <= 100) {
			return fmt.Errorf("the share of %v is %v %%, want 0 to 100", a, s[a])
		}
		sum += s[a]
	}
	if sum > 100+1e-9 {
		return fmt.Errorf("the shares add up to %v %%, which is more than all requests", math.Round(sum*1000)/1000)
	}
	return nil
}

// draw turns a number in [0, 100) into an act.
func (s *Shares) draw(number float64) Act {
	for a := Error; a < actEnd; a++ {
		if number < s[a] {
			return a
		}
		number -= s[a]
	}
	return Answer
}

// parseShare reads such as "5%", "0.1 %" or "5".
func parseShare(text string) (float64, error) {
	number := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%"))
	share, err := strconv.ParseFloat(number, 64)
	if err != nil || !(share >= 0 && share <= 100) {
		return 0, fmt.Errorf("%q is not a share: write a percentage from 0%% to 100%%, such as 5%%", text)
	}
	return share, nil
}
