package fortress

import "golang.org/x/sys/unix"

const (
	arch    = unix.AUDIT_ARCH_X86_64
	maxCall = 0x3fffffff // above them is another way of calling, with 32 bits
)

var (
	deniedHere = []uintptr{unix.SYS_MKNOD, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT}
	// What glibc calls in programs of tests is among them.
	guardCallsHere = []uintptr{unix.SYS_MMAP, unix.SYS_POLL, unix.SYS_EPOLL_WAIT, unix.SYS_NEWFSTATAT, unix.SYS_ARCH_PRCTL}
)
