package fortress

import (
	"errors"
	"math"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Places in struct seccomp_data, and what a filter returns.
const (
	atCall   = 0
	atArch   = 4
	atArg    = 16 // eight bytes each; the lower half is first, on all our architectures
	argWidth = 8

	allow   = unix.SECCOMP_RET_ALLOW
	kill    = unix.SECCOMP_RET_KILL_PROCESS
	refuse  = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	missing = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS) // who asked takes an older way
	noKind  = unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)
	noProto = unix.SECCOMP_RET_ERRNO | uint32(unix.EPROTONOSUPPORT)
)

// Instructions.
const (
	load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	atMost = unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K // taken when greater
	anyBit = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	result = unix.BPF_RET | unix.BPF_K
)

// program is a filter that is being written. Every test is followed by its result, so that no jump is longer than one.
type program []unix.SockFilter

func (f *program) load(at uint32)   { *f = append(*f, unix.SockFilter{Code: load, K: at}) }
func (f *program) result(k uint32)  { *f = append(*f, unix.SockFilter{Code: result, K: k}) }
func (f *program) unless(k uint32)  { *f = append(*f, unix.SockFilter{Code: equal, Jt: 1, K: k}) } // the next is left out if equal
func (f *program) when(k uint32)    { *f = append(*f, unix.SockFilter{Code: equal, Jf: 1, K: k}) }
func (f *program) above(k uint32)   { *f = append(*f, unix.SockFilter{Code: atMost, Jf: 1, K: k}) }
func (f *program) withBit(k uint32) { *f = append(*f, unix.SockFilter{Code: anyBit, Jf: 1, K: k}) }

// begin lets only calls of our own architecture and of its one way of calling pass.
func (f *program) begin() {
	f.load(atArch)
	f.unless(arch)
	f.result(kill)
	f.load(atCall)
	f.above(maxCall)
	f.result(kill)
}

// block writes instructions that run only for one call; they end with the call's number loaded again.
func (f *program) block(call uintptr, write func(*program)) {
	var inner program
	write(&inner)
	inner.load(atCall)
	*f = append(*f, unix.SockFilter{Code: equal, Jf: uint8(len(inner)), K: uint32(call)})
	*f = append(*f, inner...)
}

// agentFilter refuses what no station needs; start says whether programs may be started.
func agentFilter(start bool) []unix.SockFilter {
	var f program
	f.begin()
	refused := slices.Concat(denied, deniedHere)
	if !start {
		refused = append(refused, unix.SYS_EXECVE, unix.SYS_EXECVEAT)
	}
	for _, call := range refused {
		f.when(uint32(call))
		f.result(refuse)
	}
	f.when(unix.SYS_CLONE3) // its flags lie in memory, where a filter cannot look
	f.result(missing)
	f.block(unix.SYS_CLONE, func(f *program) {
		f.load(atArg)
		f.withBit(newNamespaces)
		f.result(refuse)
	})
	f.block(unix.SYS_SOCKET, socketKinds)
	f.result(allow)
	return f
}

// newNamespaces are the flags of clone with which an attacker makes himself root of a world of his own, where more of the
// kernel is open to him.
const newNamespaces = unix.CLONE_NEWCGROUP | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUSER | unix.CLONE_NEWUTS

// socketKinds leaves sockets of the internet and of the machine, and CAN, where power modules are; netlink tells of network
// interfaces. Multipath TCP would go past landlock's ports.
func socketKinds(f *program) {
	f.load(atArg)
	families := []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK, unix.AF_CAN}
	for i, family := range families {
		*f = append(*f, unix.SockFilter{Code: equal, Jt: uint8(len(families) - i), K: family})
	}
	f.result(noKind)
	f.load(atArg + 2*argWidth)
	f.when(unix.IPPROTO_MPTCP)
	f.result(noProto)
}

// guardFilter allows what a guard at work does; open says whether it may open a device again that was unplugged.
func guardFilter(open bool) []unix.SockFilter {
	var f program
	f.begin()
	allowed := slices.Concat(guardCalls, guardCallsHere)
	if open {
		allowed = append(allowed, unix.SYS_OPENAT)
	}
	for _, call := range allowed {
		f.when(uint32(call))
		f.result(allow)
	}
	f.when(unix.SYS_CLONE3)
	f.result(missing)
	f.block(unix.SYS_CLONE, func(f *program) { // threads, and nothing else
		f.load(atArg)
		f.withBit(unix.CLONE_THREAD)
		f.result(allow)
	})
	f.result(refuse)
	return f
}

// filterCalls installs the filter for all threads.
func (p Plan) filterCalls(r *Report) error {
	f := agentFilter(len(p.Execute) > 0)
	if p.Filter == Guard {
		f = guardFilter(len(p.Device) > 0)
	}
	if len(f) > math.MaxUint16 {
		return errors.New("the filter is too long")
	}
	prog := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	stuck, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(f)
	switch {
	case e != 0:
		return e
	case stuck != 0:
		return errors.New("a thread has a filter of its own")
	}
	r.Seccomp = true
	return nil
}
