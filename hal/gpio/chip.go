package gpio

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/warthog618/go-gpiocdev/uapi"
	"golang.org/x/sys/unix"
)

// chip is a GPIO chip of the kernel, or what stands for one in a test.
type chip interface {
	name() string // gpiochip0
	lines() (int, error)
	info(offset int) (uapi.LineInfoV2, error)
	request(*uapi.LineRequest) error // leaves the line's descriptor in Fd
	close()
}

// device is a chip behind /dev.
type device struct {
	path string
	fd   int
}

func (d *device) name() string { return filepath.Base(d.path) }

func (d *device) lines() (int, error) {
	i, err := uapi.GetChipInfo(uintptr(d.fd))
	return int(i.Lines), err
}

func (d *device) info(offset int) (uapi.LineInfoV2, error) {
	return uapi.GetLineInfoV2(uintptr(d.fd), offset)
}

func (d *device) request(r *uapi.LineRequest) error { return uapi.GetLine(uintptr(d.fd), r) }

func (d *device) close() { _ = unix.Close(d.fd) }

// openChips opens the chips below dir. Names that udev has given to one besides are left out.
func openChips(dir string) ([]chip, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "gpiochip*"))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(paths, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }) // 10 after 9
	var chips []chip
	var all error
	for _, p := range paths {
		if i, err := os.Lstat(p); err != nil || i.Mode()&os.ModeCharDevice == 0 {
			continue
		}
		fd, err := unix.Open(p, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			all = errors.Join(all, fmt.Errorf("open %s: %w", p, err))
			continue
		}
		chips = append(chips, &device{p, fd})
	}
	if len(chips) > 0 {
		return chips, nil // lines of a chip that cannot be opened are missing by their names
	}
	if all == nil {
		all = fmt.Errorf("%s has no GPIO chip: is the driver of the board's chip loaded?", dir)
	}
	return nil, all
}

// text is a string of the kernel's, up to its NUL.
func text(b []byte) string { return uapi.BytesToString(b) }
