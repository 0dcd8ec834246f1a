package mqtt

import (
	"net"
	"syscall"
)

// promptConn acknowledges at once what it has read. The answer connection sends next to nothing
// itself, so the kernel would delay its acknowledgements by 40 ms in the hope of something to
// carry them; and a broker with Nagle's algorithm (RFC 896), which mosquitto has unless
// set_tcp_nodelay is on, keeps the next answer back until they arrive. Linux forgets the option
// by itself, so it is set after every read.
type promptConn struct {
	*net.TCPConn
	raw syscall.RawConn
}

func prompt(c *net.TCPConn) net.Conn {
	raw, err := c.SyscallConn()
	if err != nil {
		return c
	}
	return &promptConn{c, raw}
}

// Read implements [net.Conn].
func (c *promptConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n > 0 {
		_ = c.raw.Control(func(fd uintptr) { // without it answers come later, and that is all
			_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
		})
	}
	return n, err
}
