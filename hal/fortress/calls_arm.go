package fortress

import "golang.org/x/sys/unix"

const (
	arch    = unix.AUDIT_ARCH_ARM
	maxCall = 0x0fffff // the ARM-private calls are 0x0f0001 and up
)

var (
	deniedHere = []uintptr{unix.SYS_MKNOD, unix.SYS_SETUID32, unix.SYS_SETGID32, unix.SYS_SETREUID32, unix.SYS_SETREGID32, unix.SYS_SETRESUID32,
		unix.SYS_SETRESGID32, unix.SYS_SETFSUID32, unix.SYS_SETFSGID32, unix.SYS_SETGROUPS32, unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64}
	guardCallsHere = []uintptr{unix.SYS_MMAP2, unix.SYS_POLL, unix.SYS_EPOLL_WAIT, unix.SYS_FCNTL64, unix.SYS__LLSEEK, unix.SYS_FSTAT64, unix.SYS_SIGRETURN,
		unix.SYS_PPOLL_TIME64, unix.SYS_FUTEX_TIME64, unix.SYS_CLOCK_GETTIME64, unix.SYS_CLOCK_NANOSLEEP_TIME64, unix.SYS_TIMER_SETTIME64, unix.SYS_SEND,
		unix.SYS_RECV, unix.SYS_GETUID32, cacheflush, setTLS}
)

// The ARM-private calls.
const (
	cacheflush = 0x0f0002
	setTLS     = 0x0f0005
)
