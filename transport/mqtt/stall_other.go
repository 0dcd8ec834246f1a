//go:build !linux

package mqtt

import (
	"net"
	"time"
)

// giveUpAfter: MQTT's keep-alive does it, only later.
func giveUpAfter(*net.TCPConn, time.Duration) {}
