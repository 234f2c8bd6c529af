package slot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/storage/journal"
)

// Files is the directory of the slots: head-a and evsed-a are header and payload of the image in slot a, state-0 and state-1
// say which slot counts, stage-0 and stage-1 how far an image has been staged.
type Files interface {
	journal.FS
	// Read opens a file that is there, for reading alone. fs.ErrNotExist.
	Read(name string) (File, error)
	// Seal makes a file one that is started and no longer written.
	Seal(name string) error
}

// File is a file that is read.
type File interface {
	io.ReaderAt
	Size() (int64, error)
	Close() error
}

// holder is a File that can keep others from changing it.
type holder interface {
	hold() error // fails where somebody has it open for writing
	held() error // whether nobody has tried since
}

func headName(n Name) string    { return "head-" + string(n) }
func payloadName(n Name) string { return "evsed-" + string(n) }

// Dir returns the Files of a directory, which is made if need be.
func Dir(path string) (Files, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	return dir{journal.Dir(path), path}, nil
}

type dir struct {
	journal.FS
	path string
}

func (d dir) Read(name string) (File, error) {
	f, err := os.OpenFile(filepath.Join(d.path, filepath.Base(name)), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: want a plain file", f.Name())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) // what is checked comes from the device, not from memory
	return &osFile{File: f}, nil
}

func (d dir) Seal(name string) error {
	f, err := os.OpenFile(filepath.Join(d.path, filepath.Base(name)), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o500), f.Sync(), f.Close())
}

// osFile is a file that can be started.
type osFile struct {
	*os.File
	leased bool
}

func (f *osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// hold takes a lease: while it lasts, who opens the file for writing has to wait, and the kernel lets nobody write to what
// has been started. So the bytes that were checked are those that run. File systems without leases do without.
func (f *osFile) hold() error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	switch err {
	case nil:
		f.leased = true
		// A signal that nobody dies of, should it come after the new program has begun.
		_, err = unix.FcntlInt(f.Fd(), unix.F_SETSIG, int(syscall.SIGURG))
		return err
	case syscall.EAGAIN:
		return fmt.Errorf("%s is open for writing", f.Name())
	}
	return nil
}

func (f *osFile) held() error {
	if !f.leased {
		return nil
	}
	kind, err := unix.FcntlInt(f.Fd(), unix.F_GETLEASE, 0)
	if err == nil && kind != unix.F_RDLCK {
		err = fmt.Errorf("%s is being opened for writing", f.Name())
	}
	return err
}

// Exec replaces this process by the program in f, whose bytes were checked through the same f. It returns only on error.
func Exec(f File, args, env []string) error {
	o, ok := f.(*osFile)
	if !ok {
		return errors.New("start: not a file of the system")
	}
	if err := o.held(); err != nil {
		return err
	}
	path := fmt.Sprintf("/proc/self/fd/%d", o.Fd())
	return fmt.Errorf("start %s: %w", o.Name(), syscall.Exec(path, args, env))
}
