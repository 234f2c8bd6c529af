// Package sysfs reads and writes attributes of the kernel's devices: one descriptor for each, kept open, one call an access,
// and nothing allocated.
package sysfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// errNoNumber is an attribute that holds something else than one whole number.
var errNoNumber = errors.New("no whole number stands there")

// Attribute is a file with one number.
type Attribute struct {
	fd     int
	buffer [24]byte
}

// Open opens an attribute to read it, and to write it too if write is set.
func Open(path string, write bool) (*Attribute, error) {
	flags := unix.O_RDONLY
	if write {
		flags = unix.O_RDWR
	}
	for {
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if err == nil {
			return &Attribute{fd: fd}, nil
		}
		if err != unix.EINTR {
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// Lock keeps others that lock it from it, without waiting.
func (a *Attribute) Lock() error { return unix.Flock(a.fd, unix.LOCK_EX|unix.LOCK_NB) }

// Close closes it.
func (a *Attribute) Close() { _ = unix.Close(a.fd) }

// Read reads the number as it is now.
func (a *Attribute) Read() (int64, error) {
	n, err := unix.Pread(a.fd, a.buffer[:], 0)
	for err == unix.EINTR {
		n, err = unix.Pread(a.fd, a.buffer[:], 0)
	}
	if err != nil {
		return 0, err
	}
	return parse(a.buffer[:n])
}

// Write writes a number that is not below 0.
func (a *Attribute) Write(v int64) error {
	b := strconv.AppendInt(a.buffer[:0], v, 10)
	_, err := unix.Pwrite(a.fd, b, 0)
	for err == unix.EINTR {
		_, err = unix.Pwrite(a.fd, b, 0)
	}
	return err
}

// parse reads a decimal number and the line's end.
func parse(b []byte) (int64, error) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	v, digits := int64(0), 0
	for ; digits < len(b) && b[digits] >= '0' && b[digits] <= '9'; digits++ {
		if v > (1<<63-10)/10 {
			return 0, errNoNumber
		}
		v = v*10 + int64(b[digits]-'0')
	}
	if digits == 0 || digits < len(b) && b[digits] != '\n' {
		return 0, errNoNumber
	}
	if negative {
		v = -v
	}
	return v, nil
}

// Text reads a short attribute of words, without its line's end.
func Text(path string) (string, error) {
	b, err := os.ReadFile(path)
	return strings.TrimSpace(string(b)), err
}

// Put writes words to an attribute.
func Put(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Device is one entry of a class of devices: its folder, and the names that it goes by.
type Device struct {
	Path  string
	Names []string
}

// Devices lists the entries of a class below dir whose names begin with prefix: pwmchip0, iio:device1. They go by that name, by the
// name of the hardware behind them (20fc000.pwm), and by what their own name attribute says.
func Devices(dir, prefix string) ([]Device, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []Device
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		d := Device{Path: filepath.Join(dir, e.Name()), Names: []string{e.Name()}}
		if name, err := Text(filepath.Join(d.Path, "name")); err == nil {
			d.add(name)
		}
		if hardware, err := os.Readlink(filepath.Join(d.Path, "device")); err == nil {
			d.add(filepath.Base(hardware))
		} else if at, err := filepath.EvalSymlinks(d.Path); err == nil && at != filepath.Clean(d.Path) {
			d.add(filepath.Base(filepath.Dir(at)))
		}
		all = append(all, d)
	}
	return all, nil
}

func (d *Device) add(name string) {
	if name != "" && !slices.Contains(d.Names, name) {
		d.Names = append(d.Names, name)
	}
}

// Find returns the one device of a class that goes by name.
func Find(dir, prefix, name string) (Device, error) {
	all, err := Devices(dir, prefix)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Device{}, err
	}
	var found []Device
	var others []string
	for _, d := range all {
		if slices.Contains(d.Names, name) {
			found = append(found, d)
		}
		others = append(others, strings.Join(d.Names, "="))
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return Device{}, fmt.Errorf("%d devices in %s go by %q: want a name that is one device's own: %s", len(found), dir, name, strings.Join(others, ", "))
	case len(others) == 0:
		return Device{}, fmt.Errorf("no device %q: %s has none at all: is its driver loaded?", name, dir)
	}
	return Device{}, fmt.Errorf("no device %q in %s: there is %s", name, dir, strings.Join(others, ", "))
}
