package mqtt

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestComplaints: what is new is told, the same again only after a while, and with a spacing no more
// than one in that time whatever it is.
func TestComplaints(t *testing.T) {
	for name, c := range map[string]struct {
		spacing time.Duration
		lines   int
	}{"link": {0, 100}, "refusals": {time.Second, 10}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := new(logged)
				trouble := complaint{log: log.logger(), spacing: c.spacing}
				for range 50 {
					trouble.complain("a", errors.New("1"))
					trouble.complain("a", errors.New("1"))
					trouble.complain("b", errors.New("2"))
					time.Sleep(200 * time.Millisecond)
				}
				require.Equal(t, c.lines, strings.Count(log.String(), "WARN"))
				trouble.complain("c", errors.New("3"))
				before := strings.Count(log.String(), "WARN")
				trouble.complain("c", errors.New("3"))
				require.Equal(t, before, strings.Count(log.String(), "WARN"))
				time.Sleep(complainEvery)
				trouble.complain("c", errors.New("3"))
				require.Equal(t, before+1, strings.Count(log.String(), "WARN"))
				trouble.settle()
				time.Sleep(c.spacing)
				trouble.complain("c", errors.New("3"))
				require.Equal(t, before+2, strings.Count(log.String(), "WARN"))
			})
		})
	}
}
