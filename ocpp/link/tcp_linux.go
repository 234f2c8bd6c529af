package link

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// setUserTimeout bounds how long the kernel waits for the acknowledgement of what was sent, which keepalive does not
// cover. A kernel that cannot leaves it to the timeouts of the link.
func setUserTimeout(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout.Milliseconds()))
	})
}
