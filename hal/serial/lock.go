package serial

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lock takes the device for this descriptor alone. The lock lies on the device itself, so that it holds for all names of
// a port, ends with its process and leaves nothing behind. The kernel's own exclusive mode does not stop root.
func lock(fd int, path string) error {
	err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return heldBy(path)
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	return nil
}

// heldBy is ErrHeld with who holds the device, as far as this process may know.
func heldBy(path string) error {
	pid := holder(path)
	if pid == 0 {
		return fmt.Errorf("%w by another process: end it, or use another port", ErrHeld)
	}
	if pid == os.Getpid() {
		return fmt.Errorf("%w by this process: one bus has one port", ErrHeld)
	}
	name, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	if err != nil {
		return fmt.Errorf("%w by process %d: end it, or use another port", ErrHeld, pid)
	}
	return fmt.Errorf("%w by %s (process %d): end it, or use another port", ErrHeld, strings.TrimSpace(string(name)), pid)
}

// holder finds the process that has the lock on a device in the kernel's list; 0 is unknown.
func holder(path string) int {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return 0
	}
	f, err := os.Open("/proc/locks")
	if err != nil {
		return 0
	}
	defer f.Close()
	inode := fmt.Sprintf("%02x:%02x:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev)), st.Ino)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// 1: FLOCK ADVISORY WRITE 4711 00:05:93 0 EOF
		words := strings.Fields(lines.Text())
		if len(words) < 6 || words[1] != "FLOCK" || words[5] != inode {
			continue
		}
		if pid, err := strconv.Atoi(words[4]); err == nil {
			return pid
		}
	}
	return 0
}
