package bench

import (
	"os/exec"
	"syscall"
)

// bind makes a program end with this one, however that ends.
func bind(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
