package mqtt

import (
	"log/slog"
	"sync"
	"time"
)

// complainEvery bounds how often the same trouble is logged.
const complainEvery = 30 * time.Second

// complaint logs trouble of one kind: when it is new, and then now and again.
type complaint struct {
	log     *slog.Logger
	spacing time.Duration // at least so long between two different ones

	mu         sync.Mutex // guards all below
	text       string
	at         time.Time
	suppressed int
}

func (c *complaint) complain(what string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, ago := what+": "+err.Error(), time.Since(c.at)
	if ago < c.spacing || text == c.text && ago < complainEvery {
		c.suppressed++
		return
	}
	c.log.Warn(what, "err", err, "suppressed", c.suppressed)
	c.text, c.at, c.suppressed = text, time.Now(), 0
}

// settle forgets the last one: after a time without trouble the next one is new.
func (c *complaint) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = ""
}
