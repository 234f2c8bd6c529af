//go:build !linux

package link

import "syscall"

// setUserTimeout does nothing where the kernel has no such option.
func setUserTimeout(_, _ string, _ syscall.RawConn) error { return nil }
