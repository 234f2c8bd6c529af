package fortress

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// noCores keeps secrets out of core files. The limit is for the process and for what it starts.
func noCores() error { return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }

// prctl calls prctl on every thread.
func prctl(option int, args ...uintptr) error {
	var a [4]uintptr
	copy(a[:], args)
	if _, _, e := psx.Syscall6(unix.SYS_PRCTL, uintptr(option), a[0], a[1], a[2], a[3], 0); e != 0 {
		return e
	}
	return nil
}

// noNewPrivileges makes programs with the set-user-id bit, or with capabilities of their own, as weak as we are.
func noNewPrivileges(r *Report) error {
	err := prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	r.NoPrivileges = err == nil
	return err
}

// noNewCode keeps data from becoming code: no mapping that can be, or could be, written will ever be executable.
func noNewCode(r *Report) error {
	err := unix.Prctl(unix.PR_SET_MDWE, unix.PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) // of the memory, not of a thread
	r.NoNewCode = err == nil
	return err
}

// bound takes all but the plan's capabilities out of the bounding set: no program that is started can have more. It takes a
// capability itself; who has none is bounded by noNewPrivileges.
func (p Plan) bound(*Report) error {
	for c := uint(0); ; c++ {
		in, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0)
		if err != nil {
			return nil // the kernel knows no more
		}
		if in == 0 || slices.Contains(p.Keep, c) || slices.Contains(p.Pass, c) {
			continue
		}
		switch err := prctl(unix.PR_CAPBSET_DROP, uintptr(c)); {
		case errors.Is(err, unix.EPERM):
			return nil
		case err != nil:
			return err
		}
	}
}

// drop gives up capabilities. Those to pass on stay permitted and ambient: a program that is started has them, we do not.
func (p Plan) drop(r *Report) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have, want [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return fmt.Errorf("read capabilities: %w", err)
	}
	for _, c := range append(slices.Clone(p.Keep), p.Pass...) {
		w, bit := &want[c/32], uint32(1)<<(c%32)&have[c/32].Permitted
		w.Permitted |= bit
		if slices.Contains(p.Keep, c) {
			w.Effective |= bit
		}
		if slices.Contains(p.Pass, c) {
			w.Inheritable |= bit
		}
	}
	if err := prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL); err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: before Linux 4.3
		return fmt.Errorf("clear ambient capabilities: %w", err)
	}
	if _, _, e := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&want)), 0); e != 0 {
		return fmt.Errorf("drop capabilities: %w", e)
	}
	for _, c := range p.Pass {
		if want[c/32].Inheritable&(1<<(c%32)) == 0 {
			continue
		}
		if err := prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c)); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("pass on capability %d: %w", c, err)
		}
	}
	r.Capabilities = true
	return nil
}
