package realtime

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// waiting is how many stations may wait for an answer: there is one.
const waiting = 1

// listen makes the socket where stations call. Only the guard's own user may: a permit closes contactors. A socket that
// a dead guard left behind is replaced; there is no living one, for that would hold the lines.
func listen(path string) (int, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket == 0 {
		return -1, fmt.Errorf("listen at %s: a file that is no socket lies there", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return -1, fmt.Errorf("listen at %s: %w", path, err)
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("listen at %s: %w", path, err)
	}
	mask := unix.Umask(0o177) // from its first moment on
	err = unix.Bind(fd, &unix.SockaddrUnix{Name: path})
	unix.Umask(mask)
	if err == nil {
		err = unix.Listen(fd, waiting)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("listen at %s: %w", path, err)
	}
	return fd, nil
}

// Dial calls a guard that listens at path. The result is what guard.Remote runs on.
func Dial(path string) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("call the guard at %s: %w", path, err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("call the guard at %s: %w", path, err)
	}
	return file(fd)
}

// file makes a socket one that Go's poller watches.
func file(fd int) (*os.File, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("call the guard: %w", err)
	}
	return os.NewFile(uintptr(fd), "guard"), nil
}
