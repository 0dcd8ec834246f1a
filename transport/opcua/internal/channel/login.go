package channel

import (
	"strconv"

	"github.com/gopcua/opcua/ua"
)

const (
	// maxFailedLogins in a row end a connection, whatever sessions they were for: who guesses
	// passwords has to connect anew for each five of them.
	maxFailedLogins = 5
	maxLoggedName   = 64 // bytes
)

// LoginFailed is told of each login that was refused, after its response has been sent: the log
// names who tried, and the connection is closed after five in a row. user is what the client calls
// itself, empty if nameless. It is called on the reader.
func (c *Channel) LoginFailed(user string, why ua.StatusCode) {
	c.failedLogins++
	c.server.log.loginFailed(c, user, why)
	if c.failedLogins >= maxFailedLogins {
		c.Close(ua.StatusBadUserAccessDenied, true)
	}
}

// loginFailed writes a line, if there have not been too many. Strangers choose the name.
func (j *journal) loginFailed(c *Channel, user string, why ua.StatusCode) {
	if !j.logins.Allow() {
		j.dropped.Add(1)
		return
	}
	j.logger.Warn("opcua: a login was refused", "client", c.RemoteAddr().String(), "channel", c.ID(),
		"user", strconv.Quote(user[:min(len(user), maxLoggedName)]), "reason", why, "in a row", c.failedLogins,
		"not logged before", j.dropped.Swap(0))
}
