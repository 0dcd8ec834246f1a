package session

import (
	"testing"

	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/require"
)

// nobody is a channel without security.
type nobody struct{}

func (nobody) Policy() string               { return ua.SecurityPolicyURINone }
func (nobody) Mode() ua.MessageSecurityMode { return ua.MessageSecurityModeNone }
func (nobody) ClientCertificate() []byte    { return nil }

// TestTimerThatComesTooLate: 1. the timer fires and waits for the table's lock; 2. the session ends;
// 3. the timer has the lock. It must not be set again: it would keep the session.
func TestTimerThatComesTooLate(t *testing.T) {
	table := NewTable(Options{Anonymous: true})
	s, status := table.Create(nobody{}, &ua.CreateSessionRequest{ClientDescription: &ua.ApplicationDescription{}})
	require.Equal(t, ua.StatusOK, status)
	table.Close()
	s.expire()
	require.False(t, s.timer.Stop(), "a timer is running")
}
