package fortress

import "golang.org/x/sys/unix"

const (
	arch    = unix.AUDIT_ARCH_AARCH64
	maxCall = 0x3fffffff
)

var (
	deniedHere     []uintptr
	guardCallsHere = []uintptr{unix.SYS_MMAP, unix.SYS_NEWFSTATAT}
)
