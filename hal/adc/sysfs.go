package adc

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/evsed/evsed/hal/sysfs"
)

// Sysfs is a channel of the kernel's industrial I/O. Its scale is the kernel's idea of the converter's reference; what a count
// means at the wire is the board's, so scale and offset are not read.
type Sysfs struct{ raw *sysfs.Attribute }

// Open opens a channel by device and name: 2198000.adc/voltage2 (also iio:device0, or the name that the driver gives). root is "/",
// or a folder in its place.
func Open(root, name string) (*Sysfs, error) {
	c, err := open(root, name)
	if err != nil {
		return nil, fmt.Errorf("adc %s: %w", name, err)
	}
	return c, nil
}

func open(root, name string) (*Sysfs, error) {
	device, channel, ok := strings.Cut(name, "/")
	if !ok || channel == "" || strings.Contains(channel, "/") {
		return nil, errors.New("want device and channel, like 2198000.adc/voltage2")
	}
	d, err := sysfs.Find(filepath.Join(root, "sys/bus/iio/devices"), "iio:device", device)
	if err != nil {
		return nil, err
	}
	a, err := sysfs.Open(filepath.Join(d.Path, "in_"+channel+"_raw"), false)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no such channel: it has %s", strings.Join(channels(d.Path), ", "))
	}
	if err != nil {
		return nil, err
	}
	return &Sysfs{a}, nil
}

// channels lists what a device measures.
func channels(dir string) (all []string) {
	files, _ := filepath.Glob(filepath.Join(dir, "in_*_raw"))
	for _, f := range files {
		all = append(all, strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), "in_"), "_raw"))
	}
	if all == nil {
		all = []string{"none"}
	}
	return all
}

// Raw converts once.
func (c *Sysfs) Raw() (int32, error) {
	v, err := c.raw.Read()
	if err != nil {
		return 0, err
	}
	if v < math.MinInt32 || v > math.MaxInt32 {
		return 0, unix.ERANGE
	}
	return int32(v), nil
}

// Close closes the channel.
func (c *Sysfs) Close() { c.raw.Close() }
