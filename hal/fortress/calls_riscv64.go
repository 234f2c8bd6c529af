package fortress

import "golang.org/x/sys/unix"

const (
	arch    = unix.AUDIT_ARCH_RISCV64
	maxCall = 0x3fffffff
)

var (
	deniedHere     []uintptr
	guardCallsHere = []uintptr{unix.SYS_MMAP, unix.SYS_NEWFSTATAT, unix.SYS_RISCV_FLUSH_ICACHE, unix.SYS_RISCV_HWPROBE}
)
