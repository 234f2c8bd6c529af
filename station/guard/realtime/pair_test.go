package realtime

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// socketPair is what Start makes.
func socketPair(t *testing.T) (mine, theirs *os.File) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range []**os.File{&mine, &theirs} {
		if *f, err = file(fds[i]); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { (*f).Close() })
	}
	return mine, theirs
}
