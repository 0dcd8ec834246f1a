package mqtt

import (
	"net"
	"syscall"
	"time"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of <linux/tcp.h>, which package syscall does not have.
const tcpUserTimeout = 18

// giveUpAfter has the kernel end the connection when what we have sent was not acknowledged for so
// long, or not taken (RFC 5482): otherwise it goes on for a quarter of an hour.
func giveUpAfter(c *net.TCPConn, d time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return // keep-alive does it too, only later
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d/time.Millisecond))
	})
}
