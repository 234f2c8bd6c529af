package gpio

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

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

// maxChips bounds the numbers that chips have: an expander that is plugged in again gets a new one.
const maxChips = 256

// openChips opens the chips below dir, by their numbers: names that udev has given to one besides are left out, and who is
// confined may be allowed to open chips and not to list the folder.
func openChips(dir string) ([]chip, error) {
	var chips []chip
	var all error
	for n := range maxChips {
		p := filepath.Join(dir, "gpiochip"+strconv.Itoa(n))
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
